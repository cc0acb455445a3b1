#!/usr/bin/perl
# A web server of some fifty lines: put your own in its place. It must listen on
# OPENSHIFT_DIY_IP and OPENSHIFT_DIY_PORT.
use strict;
use warnings;

use File::Basename qw(dirname);
use IO::Socket::INET;

my $name = $ENV{OPENSHIFT_APP_NAME} || 'my application';
open my $file, '<', dirname(__FILE__) . '/index.html' or die "index.html: $!\n";
my $page = do { local $/; <$file> };

sub escape {
    my ($text) = @_;
    $text =~ s/([&<>"'])/'&#' . ord($1) . ';'/ge;
    return $text;
}

sub welcome {
    my ($host) = @_;
    my ($database, $uuid) = ($ENV{OPENSHIFT_MYSQL_DB_HOST}, $ENV{OPENSHIFT_GEAR_UUID} // '');
    my %facts = (
        name       => $name,
        repository => "ssh://$uuid\@" . ($ENV{OPENSHIFT_GEAR_DNS} // '') . "/~/git/$name.git/",
        address    => $host,
        version    => sprintf('your own start hook, here with Perl %vd', $^V),
        database   => $database ? "MySQL at $database:$ENV{OPENSHIFT_MYSQL_DB_PORT}" : 'none yet',
        gear       => $uuid,
    );
    return $page =~ s/\{\{(\w+)\}\}/escape($facts{$1} || '')/ger;
}

my $server = IO::Socket::INET->new(
    LocalAddr => $ENV{OPENSHIFT_DIY_IP} || '127.0.0.1',
    LocalPort => $ENV{OPENSHIFT_DIY_PORT} || 8080,
    Listen    => 64,
    ReuseAddr => 1,
) or die "cannot listen: $@\n";
$SIG{PIPE} = 'IGNORE';

while (1) {
    my $client = $server->accept or next;
    # One request after the other: a slow sender must not keep the rest waiting.
    eval {
        local $SIG{ALRM} = sub { die "too slow\n" };
        alarm 5;
        my $host = '';
        my $request = <$client> // '';
        while (defined(my $line = <$client>)) {
            last if $line =~ /^\r?\n$/;
            $host = $1 if $line =~ /^Host:\s*(\S+)/i;
        }
        my ($status, $type, $body) =
            $request =~ m{^(?:GET|HEAD) /(?:\?\S*)? }
            ? ('200 OK', 'text/html; charset=utf-8', welcome($host))
            : ('404 Not Found', 'text/plain', "There is nothing here.\n");
        print $client "HTTP/1.0 $status\r\nContent-Type: $type\r\nContent-Length: ", length $body, "\r\n\r\n";
        print $client $body unless $request =~ /^HEAD/;
    };
    alarm 0;
    close $client;
}
