# The application: what this returns is called for each request.
use strict;
use warnings;

use File::Basename qw(dirname);

my $name = $ENV{OPENSHIFT_APP_NAME} || 'my application';
open my $file, '<:encoding(UTF-8)', dirname(__FILE__) . '/index.html' or die "index.html: $!\n";
my $page = do { local $/; <$file> };

sub escape {
    my ($text) = @_;
    $text =~ s/([&<>"'])/'&#' . ord($1) . ';'/ge;
    return $text;
}

sub facts {
    my ($env) = @_;
    my ($host, $uuid) = ($ENV{OPENSHIFT_MYSQL_DB_HOST}, $ENV{OPENSHIFT_GEAR_UUID} // '');
    return {
        name       => $name,
        repository => "ssh://$uuid\@" . ($ENV{OPENSHIFT_GEAR_DNS} // '') . "/~/git/$name.git/",
        address    => $env->{HTTP_HOST},
        version    => sprintf('%vd', $^V),
        database   => $host ? "MySQL at $host:$ENV{OPENSHIFT_MYSQL_DB_PORT}" : 'none yet',
        gear       => $uuid,
    };
}

sub {
    my ($env) = @_;
    return [404, ['Content-Type' => 'text/plain'], ["There is nothing here.\n"]] if $env->{PATH_INFO} ne '/';
    my $facts = facts($env);
    my $answer = $page =~ s/\{\{(\w+)\}\}/escape($facts->{$1} || '')/ger;
    utf8::encode($answer);
    return [200, ['Content-Type' => 'text/html; charset=utf-8'], [$answer]];
};
