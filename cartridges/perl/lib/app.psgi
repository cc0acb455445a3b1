# The application of the repository, or its files and CGI scripts. Around it: the
# browser's address and scheme instead of the router's, and the log of requests.
use strict;
use warnings;

use Plack::Middleware::AccessLog;
use Plack::Util;

my $repository = $ENV{OPENSHIFT_REPO_DIR} =~ s{/$}{}r;
my $directory  = $ENV{OPENSHIFT_PERL_DIR} =~ s{/$}{}r;

my ($file) = grep { -f } "$repository/app.psgi", "$repository/perl/app.psgi", "$directory/lib/files.psgi";
my $inner = Plack::Util::load_psgi($file);

my $application = sub {
    my ($env) = @_;
    $env->{'psgi.url_scheme'} = 'https' if ($env->{HTTP_X_FORWARDED_PROTO} // '') eq 'https';
    $env->{HTTPS} = 'on' if $env->{'psgi.url_scheme'} eq 'https';
    $env->{REMOTE_ADDR} = $1 if ($env->{HTTP_X_FORWARDED_FOR} // '') =~ /([^\s,]+)\s*$/;
    return $inner->($env);
};

STDOUT->autoflush(1);
open my $ready, '>', "$directory/run/ready" or die "run/ready: $!\n";
close $ready;
Plack::Middleware::AccessLog->wrap($application, logger => sub { print STDOUT @_ });
