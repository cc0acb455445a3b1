"""The small quickstarts as users have them: created without a network, used, pushed to, used again, deleted.
WordPress, the large one, is a scenario of its own."""

import json
import pathlib
import shutil
import socket

from appliance import expect, expect_in, expect_true
from web_socket import WebSocket

SHAPE = pathlib.Path(__file__).resolve().parents[2] / "data/applications/wordpress-shape"
ROOM_SECONDS = 240  # an emulated processor has more to do than this room
# quickstart → file, what a push changes in it and to what
CHANGES = {
    "guestbook": ("templates/guestbook.html", "<h1>Guestbook", "<h1>Our guestbook"),
    "chat": ("public/index.html", "<h1>Chat", "<h1>Our chat"),
    "tasks": ("views/index.erb", "<h1>Tasks", "<h1>Our tasks"),
    "site": ("public/index.html", "Plain files", "Our files"),
}


def create(appliance, name):
    user = appliance.make_user("quentin")
    quickstart = next(q["quickstart"] for q in user.api("GET", "/quickstarts").json["data"] if q["quickstart"]["id"] == name)
    reply = user.api("POST", "/domain/quentin/applications", {
        "name": name, "cartridges": quickstart["cartridges"], "initial_git_url": quickstart["initial_git_url"]}, timeout=1200)
    expect(reply.status, 201, reply.text)
    return reply.json["data"]


def push_a_change(appliance, app):
    """Afterwards the page shows it."""
    user, (path, old, new) = appliance.users["quentin"], CHANGES[app["name"]]
    tree = user.clone(app)
    text = (tree / path).read_text()
    expect_in(old, text, path)
    (tree / path).write_text(text.replace(old, new))
    user.push(tree, "Change the page")
    assert_page(appliance, app, new)


def assert_page(appliance, app, *parts):
    page = appliance.web(app).get("/")
    expect(page.status, 200, page.text[:2000])
    for part in parts:
        expect_in(part, page.text, app["name"])


def delete(appliance, app):
    expect(appliance.users["quentin"].api("DELETE", f"/application/{app['id']}").status, 200)


def check_what_the_image_has_no_packages_for(appliance):
    offered = {q["quickstart"]["id"]: q["quickstart"]["unavailable"] for q in appliance.make_user("quentin").api("GET", "/quickstarts").json["data"]}
    expect(offered.pop("poll"), "the cartridge java is not on this node")
    expect_in("mediawiki", offered.pop("mediawiki"))
    expect(set(offered.values()), {None}, str(offered))


def check_guestbook_with_flask_and_postgresql(appliance):
    app = create(appliance, "guestbook")
    assert_page(appliance, app, "Nobody has written anything yet")
    web = appliance.web(app)
    answer = web.form("/", name="Ada <b>", message="Snow \u2603 & ice")
    expect((answer.status, answer.headers["location"]), (303, "/"))
    expect(web.form("/", name="", message="x").status, 400)
    written = ("Ada &lt;b&gt;", "Snow \u2603 &amp; ice", "1 entry so far")
    assert_page(appliance, app, *written)
    expect(web.get("/static/style.css").headers["content-type"], "text/css")
    push_a_change(appliance, app)
    assert_page(appliance, app, *written)
    delete(appliance, app)


def hear(client, kind):
    while True:
        text = client.receive()
        expect_true(text is not None, "the server has closed")
        message = json.loads(text)
        if message["kind"] == kind:
            return message


def enter(appliance, app):
    web = appliance.web(app)
    connected = socket.create_connection(("127.0.0.1", appliance.ports[80]), ROOM_SECONDS)
    return WebSocket(connected, web.authority, "/room", ROOM_SECONDS)


def check_chat_with_websockets(appliance):
    app = create(appliance, "chat")
    assert_page(appliance, app, "<h1>Chat", "chat.js")
    ada = enter(appliance, app)
    expect(hear(ada, "people")["count"], 1)
    bob = enter(appliance, app)
    expect(hear(ada, "people")["count"], 2)
    ada.send(json.dumps({"name": "Ada", "text": "Snow \u2603"}))
    for client in (ada, bob):
        heard = hear(client, "message")
        expect((heard["name"], heard["text"]), ("Ada", "Snow \u2603"))
    bob.send(json.dumps({"name": "Bob", "text": "Ice"}))
    expect(hear(ada, "message")["text"], "Ice")
    push_a_change(appliance, app)
    while ada.receive() is not None:
        pass  # until the push has ended the old server
    again = enter(appliance, app)
    expect(hear(again, "people")["count"], 1)
    for client in (ada, bob, again):
        client.close()
    delete(appliance, app)


def check_tasks_with_sinatra(appliance):
    app = create(appliance, "tasks")
    assert_page(appliance, app, "Nothing is left to do")
    web = appliance.web(app)
    for title in ("Buy <milk>", "Sweep \u2603"):
        answer = web.form("/tasks", title=title)
        expect((answer.status, answer.headers["location"]), (303, f"http://{web.authority}/"))
    secure = appliance.web(app, tls=True)
    same_site = secure.request("POST", "/tasks/1", "done=yes", {
        "Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{secure.authority}"})
    expect(same_site.status, 303, same_site.text)
    written = ('<span class="done">Buy &lt;milk&gt;</span>', '<span class="open">Sweep \u2603</span>')
    assert_page(appliance, app, *written)
    push_a_change(appliance, app)
    assert_page(appliance, app, *written)
    expect(web.form("/clear", nothing="more").status, 303)
    assert_page(appliance, app, "1 left to do")
    delete(appliance, app)


def check_site_of_files(appliance):
    app = create(appliance, "site")
    assert_page(appliance, app, "Plain files, live in a push")
    web = appliance.web(app)
    expect_in("<h1>About", web.get("/about.html").text)
    missing = web.get("/none")
    expect(missing.status, 404)
    expect_in("There is no such page", missing.text)
    push_a_change(appliance, app)
    delete(appliance, app)


def check_an_application_that_fetches_wordpress_by_http(appliance):
    """In the shape of openshift/wordpress-example: nothing is prepared for it, and there is no network."""
    user = appliance.make_user("quentin")
    cartridges = [c["name"] for c in user.api("GET", "/cartridges").json["data"]]
    wanted = [next(c for c in cartridges if c.startswith(name + "-")) for name in ("php", "mysql")]
    reply = user.api("POST", "/domain/quentin/applications", {"name": "shape", "cartridges": wanted}, timeout=1200)
    expect(reply.status, 201, reply.text)
    app = reply.json["data"]
    clone = user.clone(app)
    user.git("rm", "-rq", ".", cwd=clone)
    shutil.copytree(SHAPE, clone, dirs_exist_ok=True)
    pushed = user.push(clone, "The application").stderr
    expect_in("is fetched", pushed)
    expect_in("Database schema not yet added", pushed)
    moved = appliance.web(app).get("/")
    expect(moved.status, 302, moved.text[:500])
    expect_in("/wp-admin/install.php", moved.headers["location"])
    expect_in("user_name", appliance.web(app, tls=True).get("/wp-admin/install.php").text)
    expect_in(":gearbox_mirror_t:", appliance.sudo("ps -o label= -U gearbox-mirror"))
    delete(appliance, app)


def check_no_denial_after_the_quickstarts(appliance):
    expect(appliance.machine.denials(), [], "denials")
