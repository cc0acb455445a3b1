"""What only an image of the full recipe has packages for: Java with its quickstart, Go, and MediaWiki."""

import pathlib

from appliance import expect, expect_in, expect_true
from cartridge_life import OWNER, assert_page, create, delete, end, in_gear, live

QUICKSTARTS = pathlib.Path(__file__).resolve().parents[4] / "cartridges/quickstarts"
SERVLET = "src/main/java/PollServlet.java"
SERVER = """package main

import ("net"; "os"; "strconv")

func main() {
	listener, err := net.Listen("tcp", os.Getenv("HOST")+":"+os.Getenv("PORT"))
	if err != nil { panic(err) }
	for {
		peer, err := listener.Accept()
		if err != nil { continue }
		note, _ := os.ReadFile(os.Getenv("OPENSHIFT_DATA_DIR") + "note")
		peer.Read(make([]byte, 4096))
		peer.Write([]byte("HTTP/1.0 200 OK\\r\\nContent-Length: " + strconv.Itoa(8+len(note)) + "\\r\\n\\r\\ngo says " + string(note)))
		peer.Close()
	}
}
"""


def quickstart(appliance, name):
    """What a creation needs of it besides cartridges."""
    offered = appliance.make_user(OWNER).api("GET", "/quickstarts").json["data"]
    found = next(q["quickstart"] for q in offered if q["quickstart"]["id"] == name)
    expect(found["unavailable"], None, name)
    return {"initial_git_url": found["initial_git_url"]}


def vote(appliance, app):
    answer = appliance.web(app).form("/", answer="Tea")
    expect((answer.status, answer.headers["location"]), (303, "./"))
    expect(appliance.web(app).form("/", answer="Beer").status, 400)


# The compiler that makes the fastest programs takes more of an emulated processor than they save.
QUICKLY = {"environment_variables": [{"name": "JAVA_OPTS", "value": "-XX:TieredStopAtLevel=1"}]}
LIVES = {
    # The quickstart's, restored into an application that was made of the cartridge's template.
    "java": {"cartridges": ["java"], "more": QUICKLY, "first": "Nobody has voted yet", "template": "is running", "store": vote,
             "files": {SERVLET: (QUICKSTARTS / "poll/tree" / SERVLET).read_text().replace("What do you drink?", "What shall it be?")},
             "page": ("What shall it be?", "1 vote so far", '<meter max="1" value="1">')},
    "go": {"cartridges": ["go"], "files": {"main.go": SERVER}, "store": "echo kept-by-a-file >$OPENSHIFT_DATA_DIR/note",
           "page": ("go says", "kept-by-a-file")},
}
state = {}


def check_every_cartridge_and_quickstart_is_offered(appliance):
    user = appliance.make_user(OWNER)
    offered = [q["quickstart"] for q in user.api("GET", "/quickstarts").json["data"]]
    expect({q["id"]: q["unavailable"] for q in offered}, {path.parent.name: None for path in QUICKSTARTS.glob("*/quickstart.toml")})
    names = [c["name"] for c in user.api("GET", "/cartridges").json["data"]]
    for path in QUICKSTARTS.parent.glob("*/metadata/manifest.yml"):
        expect_true(any(name.startswith(path.parent.parent.name + "-") for name in names), f"{path} is not among {names}")


def check_java_with_its_quickstart(appliance):
    state["java"] = live(appliance, "java", {**LIVES["java"], "more": {**quickstart(appliance, "poll"), **QUICKLY}})


def check_go(appliance):
    state["go"] = app = live(appliance, "go", LIVES["go"])
    compiled = int(in_gear(appliance, app, "du -sm go/cache").split()[0])
    expect_true(compiled < 30, f"{compiled} MB in the gear: the standard library was compiled again")


def check_gears_weigh_at_the_processors_and_at_the_disk(appliance):
    gear = appliance.facts_of(state["go"])["gear"]
    weights = f"cd $(find /sys/fs/cgroup -type d -name 'gear-{gear}') && cat cpu.weight io.weight"
    expect(appliance.sudo(weights).split(), ["100", "default", "100"])
    appliance.sudo("printf '[size.heavy]\ncpu_weight = 300\nio_weight = 50\n' >>/etc/gearbox/gearboxd.toml"
                   " && systemctl restart gearboxd && sleep 1")
    appliance.sudo(f"gearbox admin app resize {gear} heavy")
    expect(appliance.sudo(weights).split(), ["300", "default", "50"])


def check_java_and_go_restored_into_others_and_deleted(appliance):
    for name, life in LIVES.items():
        end(appliance, state[name], life)


def api(web, **fields):
    """MediaWiki's answer."""
    return web.form("/api.php", format="json", **fields).json


def token(web, kind):
    return next(iter(api(web, action="query", meta="tokens", type=kind)["query"]["tokens"].values()))


def check_mediawiki(appliance):
    app = create(appliance, "wiki", ["php", "mysql"], **quickstart(appliance, "mediawiki"))
    web = appliance.web(app)
    refused = api(web, action="edit", title="Snow", text="no", token="+\\")
    expect(refused["error"]["code"], "permissiondenied", str(refused))
    password = in_gear(appliance, app, "cat app-root/data/admin-password").strip()
    entered = api(web, action="clientlogin", username="Admin", password=password, loginreturnurl=f"http://{web.authority}/",
                  logintoken=token(web, "login"))
    expect(entered["clientlogin"]["status"], "PASS", str(entered))
    written = api(web, action="edit", title="Snow", text="Cold, \u2603 & '''white'''<ref>seen</ref><references/>", token=token(web, "csrf"))
    expect(written["edit"]["result"], "Success", str(written))
    user = appliance.users[OWNER]
    tree = user.clone(app)
    settings = tree / ".openshift/config/LocalSettings.php"
    settings.write_text(settings.read_text() + "\n$wgSitename = 'Our wiki';\n")
    expect_in("success", user.push(tree, "Name the wiki").stderr.lower())
    assert_page(appliance, app, ["Our wiki", "Cold, \u2603 &amp; <b>white</b><sup"], path="/wiki/Snow")
    delete(appliance, app)


def check_no_denial_after_what_only_the_full_image_has(appliance):
    expect(appliance.machine.denials(), [], "denials")
