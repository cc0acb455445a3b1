"""What is wrong gets a clear 4xx in the contract's envelope and changes nothing."""

import json

from appliance import expect, expect_true

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIGtleQ=="
# Method, path, JSON body (or text, sent as it is), status, exit code of the first message (None: any).
TABLE = [
    ("POST", "/domains", {"name": "bad_name"}, 422, 106),
    ("POST", "/domains", {"name": ""}, 422, 106),
    ("POST", "/domains", {"name": "a" * 17}, 422, 106),
    ("POST", "/domains", {"name": "../../etc"}, 422, 106),
    ("POST", "/domains", {"name": ["x"]}, 422, 106),
    ("POST", "/domains", {"name": "erin"}, 422, 103),
    ("DELETE", "/domain/nosuch", {}, 404, 127),
    ("GET", "/domain/frank", None, 404, 127),
    ("POST", "/domain/erin/applications", {"name": "bad_name", "cartridges": ["php"]}, 422, 105),
    ("POST", "/domain/erin/applications", {"name": "", "cartridges": ["php"]}, 422, 105),
    ("POST", "/domain/erin/applications", {"name": "a" * 33, "cartridges": ["php"]}, 422, 105),
    ("POST", "/domain/erin/applications", {"name": "x\u0000y", "cartridges": ["php"]}, 422, 105),
    ("POST", "/domain/erin/applications", {"name": "\u2603", "cartridges": ["php"]}, 422, 105),
    ("POST", "/domain/erin/applications", {"name": "a"}, 422, 109),
    ("POST", "/domain/erin/applications", {"name": "a", "cartridges": []}, 422, 109),
    ("POST", "/domain/erin/applications", {"name": "a", "cartridges": ["nosuch-1.0"]}, 422, 109),
    ("POST", "/domain/erin/applications", {"name": "a", "cartridges": ["../php"]}, 422, 109),
    ("POST", "/domain/erin/applications", {"name": "a", "cartridges": ["mysql"]}, 422, 109),
    ("POST", "/domain/erin/applications", {"name": "a", "cartridges": [{"name": "php", "url": "x"}]}, 422, 109),
    ("POST", "/domain/erin/applications", {"name": "a", "cartridges": 7}, 422, 109),
    ("POST", "/domain/erin/applications",
     {"name": "a", "cartridges": ["php"], "initial_git_url": "file:///etc"}, 422, 216),
    ("POST", "/domain/erin/applications",
     {"name": "a", "cartridges": ["php"], "initial_git_url": "--upload-pack=id"}, 422, 216),
    ("POST", "/domain/erin/applications",
     {"name": "a", "cartridges": ["php"], "initial_git_url": "ext::sh -c id"}, 422, 216),
    ("POST", "/domain/erin/applications",
     {"name": "a", "cartridges": ["php"], "environment_variables": [{"name": "A=B", "value": "x"}]}, 422, 188),
    ("POST", "/domain/nosuch1/applications", {"name": "bad name", "cartridges": ["php"]}, 422, 105),
    ("GET", "/domain/erin/application/nosuch", None, 404, 101),
    ("GET", "/application/ffffffffffffffffffffffff", None, 404, 101),
    ("POST", "/application/ffffffffffffffffffffffff/events", {"event": "start"}, 404, 101),
    ("POST", "/user/keys", {"name": "k", "type": "ssh-magic", "content": KEY}, 422, 116),
    ("POST", "/user/keys", {"name": "k", "type": "ssh-ed25519", "content": "not base64 !"}, 422, 108),
    ("POST", "/user/keys", {"name": ".k", "type": "ssh-ed25519", "content": KEY}, 422, 117),
    ("POST", "/user/keys", {"name": "k", "type": "ssh-ed25519", "content": KEY + "\ncommand=\"x\""}, 422, 108),
    ("GET", "/user/keys/nosuch", None, 404, 118),
    ("POST", "/domains", "{broken", 400, None),
    ("POST", "/domains", "[1,2]", 400, None),
    ("POST", "/domains", "[" * 5000, 400, None),
    ("POST", "/domains", "\xff\xfe{}", 400, None),
    ("POST", "/domains", "x" * 3_000_000, 413, None),
    ("GET", "/no/such/thing", None, 404, None),
    ("PUT", "/domains", {}, 405, None),
]


def snapshot(appliance, user):
    listed = [user.api("GET", path).text for path in ("/domains", "/applications", "/user/keys")]
    return listed, appliance.sudo("ls /var/lib/openshift /var/lib/gearbox/gears; tail -n 3 /etc/passwd; "
                                  "cat /var/lib/gearbox/router/routes.map")


def check_table_of_bad_requests(appliance):
    user, _ = appliance.make_user("erin"), appliance.make_user("frank")
    before = snapshot(appliance, user)
    wrong = []
    for method, path, body, status, code in TABLE:
        raw = body.encode("latin-1") if isinstance(body, str) else None
        reply = user.api(method, path, None if raw is not None else body, raw=raw)
        label = f"{method} {path} {str(body)[:60]!r}"
        if reply.status != status:
            wrong.append(f"{label}: {reply.status} instead of {status}: {reply.text[:200]}")
            continue
        try:
            message = reply.json["messages"][0]
        except (ValueError, LookupError):
            wrong.append(f"{label}: no message in the envelope: {reply.text[:200]}")
            continue
        if code is not None and message["exit_code"] != code:
            wrong.append(f"{label}: exit code {message['exit_code']} instead of {code}: {message['text']}")
        if not message["text"]:
            wrong.append(f"{label}: an empty text")
    expect_true(not wrong, "\n".join(wrong))
    expect(snapshot(appliance, user), before, "what the user has")


def check_credentials_are_needed(appliance):
    reply = appliance.http("GET", "/broker/rest/user", headers={"Host": "gearbox.localhost"})
    expect(reply.status, 401)
    expect_true(reply.headers.get("www-authenticate", "").startswith("Basic realm="), str(reply.headers))
    user = appliance.users["erin"]
    user.password, good = "wrong", user.password
    expect(user.api("GET", "/user").status, 401)
    user.password = good
    expect(json.loads(user.api("GET", "/user").text)["data"]["login"], "erin")
