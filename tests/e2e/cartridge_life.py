"""The life of an application of a cartridge: created, pushed to, restarted, killed, saved, restored into another
application, deleted. Each step asserts what a user would see; deletion leaves nothing."""

import time

from appliance import expect, expect_in, expect_true

OWNER = "olga"


def in_gear(appliance, app, command, stdin=b""):
    return appliance.machine.ssh(command, user=app["id"], key=appliance.users[OWNER].key, timeout=600, stdin=stdin).stdout


def create(appliance, name, cartridges, **more):
    """`more` is what the request has besides."""
    reply = appliance.make_user(OWNER).api("POST", f"/domain/{OWNER}/applications",
                                           {"name": name, "cartridges": cartridges, **more}, timeout=1200)
    expect(reply.status, 201, reply.text)
    return reply.json["data"]


def assert_page(appliance, app, parts, patience=0, path="/"):
    deadline = time.monotonic() + patience
    while True:
        page = appliance.web(app).get(path)
        if (page.status == 200 and all(part in page.text for part in parts)) or time.monotonic() > deadline:
            break
        time.sleep(1)
    expect(page.status, 200, page.text[:2000])
    for part in parts:
        expect_in(part, page.text)


def assert_answers(appliance, app, life, patience=0):
    """The application's page, and what a cartridge beside it shows."""
    assert_page(appliance, app, life["page"], patience)
    for path, part in life.get("beside", {}).items():
        assert_page(appliance, app, [part], patience, path)


def live(appliance, name, life):
    """The application, which answers. life["more"] is for create(), and "store" may be a function instead of a command."""
    app = create(appliance, name, life["cartridges"], **life.get("more", {}))
    assert_page(appliance, app, [life.get("first", "is running")])
    user = appliance.users[OWNER]
    tree = user.clone(app)
    for path, text in life["files"].items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
        (tree / path).chmod(0o755 if text.startswith("#!") else 0o644)
    user.push(tree, "Say something of our own")
    store = life["store"]
    store(appliance, app) if callable(store) else in_gear(appliance, app, store)
    assert_page(appliance, app, life["page"])
    expect(user.api("POST", f"/application/{app['id']}/events", {"event": "restart"}).status, 200)
    assert_page(appliance, app, life["page"])
    uid = appliance.facts_of(app)["uid"]
    killed = appliance.sudo(f"for p in $(pgrep -U {uid}); do read -r name </proc/$p/comm; "
                            "[ $name = gear-init ] || { kill -9 $p; echo $name; }; done 2>/dev/null; true")
    expect_true(killed.strip(), "nothing ran")
    assert_answers(appliance, app, life, patience=240)
    return app


def restore(appliance, app, life):
    """What was saved of one application, in another with another name."""
    saved = in_gear(appliance, app, "snapshot")
    again = create(appliance, f"{app['name']}2", life["cartridges"], **life.get("more", {}))
    if "template" in life:
        assert_page(appliance, again, [life["template"]])
    in_gear(appliance, again, "restore INCLUDE_GIT", saved)
    assert_answers(appliance, again, life)
    home = appliance.facts_of(again)["home"]
    others = appliance.sudo(f'find {home} ! -context "*:$(stat -c %C {home} | cut -d: -f4-)" | head -n 3')
    expect(others, "", "files that are not of this gear's categories")
    return again


def remove(appliance, app):
    """The application goes; what it was, for expect_nothing_of()."""
    facts = appliance.facts_of(app)
    expect(appliance.users[OWNER].api("DELETE", f"/application/{app['id']}").status, 200)
    return facts


def expect_nothing_of(appliance, *gone):
    """All of them at once: files of theirs are looked for in all of the system."""
    look = "".join(f"pgrep -l -U {facts['uid']}; ls -d {facts['home']} 2>/dev/null; getent passwd {facts['gear']}; "
                   f"ip -o link | grep 'gb{facts['uid']}[@:]'; find /sys/fs/cgroup -name '*{facts['gear']}*'; " for facts in gone)
    owners = " -o ".join(f"-user {facts['uid']}" for facts in gone)
    left = appliance.sudo(rf"{look} find / /var/lib/openshift -xdev \( {owners} \) -print -quit 2>/dev/null; true")
    expect(left, "", "left over")


def delete(appliance, app):
    expect_nothing_of(appliance, remove(appliance, app))


def end(appliance, app, life):
    """Restored into another application, which answers once the first is gone; in the end both are."""
    again = restore(appliance, app, life)
    gone = remove(appliance, app)
    assert_page(appliance, again, life["page"])
    expect_nothing_of(appliance, gone, remove(appliance, again))
