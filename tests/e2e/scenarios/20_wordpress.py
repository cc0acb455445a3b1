"""WordPress from the quickstart: install form, a post, and everything that must not lose it."""

import re

from appliance import expect, expect_in, expect_true

POST = "The first post of this site"
PASSWORD = "correct horse battery staple"
state = {}


def assert_post(appliance, tls=False):
    page = appliance.web(state["app"], tls).get("/")
    expect(page.status, 200)
    expect_in(POST, page.text, "front page")


def check_application_from_the_quickstart(appliance):
    user = appliance.make_user("alice")
    quickstart = next(q["quickstart"] for q in user.api("GET", "/quickstarts").json["data"]
                      if q["quickstart"]["id"] == "wordpress")
    cartridges = [c["name"] for c in user.api("GET", "/cartridges").json["data"]]
    wanted = [next(c for c in cartridges if c.startswith(name + "-")) for name in ("php", "mysql")]
    reply = user.api("POST", "/domain/alice/applications", {
        "name": "blog", "cartridges": wanted, "initial_git_url": quickstart["initial_git_url"]}, timeout=1200)
    expect(reply.status, 201, reply.text)
    state["app"], state["user"] = reply.json["data"], user
    results = " ".join(m["text"] for m in reply.messages if m["severity"] == "result")
    expect_in("mysql://", results, "result messages")


def check_each_process_and_file_has_the_type_of_its_purpose(appliance):
    facts = appliance.facts_of(state["app"])
    types = lambda text: {tuple(line.split(":")[2:3] + line.split()[1:]) for line in text.splitlines()}  # noqa: E731
    running = types(appliance.sudo(f"ps -o label=,comm= -U {facts['uid']}"))
    for expected in (("gear_init_t", "gear-init"), ("gear_t", "apache2"), ("gear_db_t", "mariadbd")):
        expect_true(expected in running, f"{expected} not in {running}")
    expect({domain for domain, *_ in running}, {"gear_init_t", "gear_t", "gear_db_t"})
    files = types(appliance.sudo(f"cd {facts['home']} && stat -c '%C %n' git/blog.git/HEAD git/blog.git/hooks/post-receive "
                                 "mysql/data/mysql mysql/env mysql/bin/control php/bin/control app-root/logs app-root/repo/.openshift"))
    expect(dict((name, kind) for kind, name in files), {
        "git/blog.git/HEAD": "gear_repository_t", "git/blog.git/hooks/post-receive": "gear_repository_t",
        "mysql/data/mysql": "gear_db_file_t", "mysql/env": "gear_file_t", "mysql/bin/control": "gear_cartridge_t",
        "php/bin/control": "gear_cartridge_t", "app-root/logs": "gear_log_t", "app-root/repo/.openshift": "gear_file_t"})


def check_install_form_and_a_post(appliance):
    web = appliance.web(state["app"])
    moved = web.get("/")
    expect(moved.status, 302)
    expect(moved.headers["location"], f"http://{web.authority}/wp-admin/install.php")
    page = web.form("/wp-admin/install.php?step=2", weblog_title="Our site", user_name="editor",
                    admin_password=PASSWORD, admin_password2=PASSWORD, pw_weak="on",
                    admin_email="editor@example.org", blog_public="0", Submit="Install", language="")
    expect_in("Success!", page.text)
    web.get("/wp-login.php")
    answer = web.form("/wp-login.php", log="editor", pwd=PASSWORD, testcookie="1")
    expect(answer.status, 302, answer.text[:500])
    nonce = web.get("/wp-admin/admin-ajax.php?action=rest-nonce").text
    answer = web.request("POST", "/?rest_route=/wp/v2/posts",
                         f"title={POST.replace(' ', '+')}&content=Written+by+a+test&status=publish",
                         {"Content-Type": "application/x-www-form-urlencoded", "X-WP-Nonce": nonce})
    expect(answer.status, 201, answer.text[:500])
    assert_post(appliance)


def check_https_with_the_appliances_own_certificate(appliance):
    assert_post(appliance, tls=True)
    web = appliance.web(state["app"], tls=True)
    expect_in(f"https://{web.authority}/", web.get("/").text, "links of the page")


def check_the_post_survives_a_restart(appliance):
    reply = state["user"].api("POST", f"/application/{state['app']['id']}/events", {"event": "restart"})
    expect(reply.status, 200, reply.text)
    assert_post(appliance)


def check_the_post_survives_a_push_that_changes_the_theme(appliance):
    user = state["user"]
    tree = user.clone(state["app"])
    footer = tree / ".openshift/themes/gearbox/footer.php"
    footer.write_text(footer.read_text().replace("runs WordPress on Gearbox", "has a new footer"))
    pushed = user.push(tree, "Change the footer")
    expect_in("remote:", pushed.stderr)
    expect_in("success", pushed.stderr.lower())
    expect_in("has a new footer", appliance.web(state["app"]).get("/").text)
    assert_post(appliance)


def check_gears_survive_the_death_of_the_daemon(appliance):
    before = appliance.sudo(f"pgrep -u {state['app']['id']} -x mariadbd").split()
    appliance.sudo("systemctl kill --signal=KILL --kill-whom=main gearboxd")
    assert_post(appliance)
    appliance.sudo("for i in $(seq 100); do systemctl -q is-active gearboxd && exit 0; sleep 0.5; done; exit 1",
                   timeout=120)
    expect(appliance.sudo(f"pgrep -u {state['app']['id']} -x mariadbd").split(), before, "the same database process")
    shown = state["user"].api("GET", f"/application/{state['app']['id']}/gear_groups").json["data"]
    expect(shown[0]["gears"][0]["state"], "started")
    reply = state["user"].api("POST", f"/application/{state['app']['id']}/events", {"event": "restart"})
    expect(reply.status, 200, reply.text)
    assert_post(appliance)


def check_a_failing_build_tells_why_and_keeps_the_data(appliance):
    user = state["user"]
    tree = user.clone(state["app"])
    hook = tree / ".openshift/action_hooks/build"
    good = hook.read_text()
    hook.write_text("#!/bin/bash\necho 'the build of this test is broken' >&2\nexit 7\n")
    hook.chmod(0o755)
    pushed = user.push(tree, "Break the build", check=False)
    expect_in("the build of this test is broken", pushed.stderr)
    expect_true(re.search(r"fail", pushed.stderr, re.I), pushed.stderr)
    hook.write_text(good)
    expect_in("success", user.push(tree, "Mend the build").stderr.lower())
    assert_post(appliance)


def check_no_denial_after_wordpress(appliance):
    expect(appliance.machine.denials(), [], "denials")
