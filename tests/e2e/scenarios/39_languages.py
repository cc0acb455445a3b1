"""The life of applications of the languages that other scenarios are not about, and of programs of any kind."""

from appliance import expect
from cartridge_life import end, live

STORE = "echo kept-by-a-file >$OPENSHIFT_DATA_DIR/note"
PSGI = "sub { open my $note, '<', \"$ENV{OPENSHIFT_DATA_DIR}note\" or die $!; [200, [], ['perl says ', <$note>]] };\n"
RACK = "run ->(env) { [200, {}, ['ruby says ' + File.read(ENV['OPENSHIFT_DATA_DIR'] + 'note')]] }\n"
SERVER = r"""
use IO::Socket::INET;
my $listener = IO::Socket::INET->new(LocalAddr => $ENV{OPENSHIFT_DIY_IP}, LocalPort => 8080, Listen => 9, ReuseAddr => 1) or die;
while (my $client = $listener->accept) {
    while (<$client>) { last if /^\r?$/ }
    print $client "HTTP/1.0 200 OK\r\n\r\ndiy says ", `cat $ENV{OPENSHIFT_DATA_DIR}note`;
    close $client;
}
"""
START = "#!/bin/bash\nexec perl $OPENSHIFT_REPO_DIR/server.pl\n"

# cartridges → what is pushed, what a session stores, what the page is then
LIVES = {
    "perl": {"cartridges": ["perl"], "files": {"app.psgi": PSGI}, "store": STORE, "page": ("perl says", "kept-by-a-file")},
    "ruby": {"cartridges": ["ruby"], "files": {"config.ru": RACK}, "store": STORE, "page": ("ruby says", "kept-by-a-file")},
    "diy": {"cartridges": ["diy"], "files": {"server.pl": SERVER, ".openshift/action_hooks/start": START}, "store": STORE,
            "page": ("diy says", "kept-by-a-file")},
}
state = {}


def check_perl(appliance):
    state["perl"] = live(appliance, "perl", LIVES["perl"])


def check_ruby(appliance):
    state["ruby"] = live(appliance, "ruby", LIVES["ruby"])


def check_a_program_with_hooks_of_its_own(appliance):
    state["diy"] = live(appliance, "diy", LIVES["diy"])


def check_restored_into_others_and_deleted(appliance):
    for name, life in LIVES.items():
        end(appliance, state[name], life)


def check_no_denial_after_the_languages(appliance):
    expect(appliance.machine.denials(), [], "denials")
