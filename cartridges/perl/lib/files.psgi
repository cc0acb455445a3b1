# Files of perl/, public/ or the top of the repository; those that end with .pl or
# .cgi run as CGI scripts, as they did under v2's Apache.
use strict;
use warnings;

use Cwd ();
use File::Basename ();
use File::Temp ();
use Plack::App::File;

my $repository = $ENV{OPENSHIFT_REPO_DIR} =~ s{/$}{}r;
my ($root) = map { Cwd::realpath($_) } grep { -d } map { "$repository/$_" } qw(perl public .);
my @index = qw(index.pl index.cgi index.html);
die "there is nothing to run: the repository needs an app.psgi or index.pl\n" unless grep { -f "$root/$_" } @index;
my $files = Plack::App::File->new(root => $root, encoding => 'utf-8')->to_app;

sub plain {
    my ($status, $text) = @_;
    return [$status, ['Content-Type' => 'text/plain'], ["$text\n"]];
}

# The body of the request, as a file that a program can have as its input.
sub input_of {
    my ($env) = @_;
    my $copy = File::Temp->new;
    while ($env->{'psgi.input'}->read(my $chunk, 65536)) { print $copy $chunk }
    seek $copy, 0, 0;
    return $copy;
}

sub run_script {
    my ($env, $script, $name) = @_;
    my $input = input_of($env);
    local $SIG{CHLD} = 'DEFAULT';
    my $pid = open(my $output, '-|') // return plain(500, "fork: $!");
    if (!$pid) {
        $ENV{$_} = $env->{$_} for grep { /^[A-Z_]+$/ && defined $env->{$_} && !ref $env->{$_} } keys %$env;
        @ENV{qw(GATEWAY_INTERFACE SCRIPT_NAME SCRIPT_FILENAME PATH_INFO)} = ('CGI/1.1', $name, $script, '');
        chdir File::Basename::dirname($script);
        open STDIN, '<&', $input or die "input: $!\n";
        exec(-x $script ? $script : ('perl', $script)) or die "$script: $!\n";
    }
    binmode $output;
    my ($status, @headers) = 200;
    while (defined(my $line = <$output>)) {
        $line =~ s/\r?\n$//;
        last if $line eq '';
        my ($key, $value) = split /:\s*/, $line, 2;
        if (!defined $value) { @headers = (); last }
        if (lc $key eq 'status') { ($status) = $value =~ /(\d{3})/ }
        else { push @headers, $key, $value; $status = 302 if lc $key eq 'location' && $status == 200 }
    }
    my $body = do { local $/; <$output> };
    close $output;
    return plain(500, 'The script has ended without a proper answer; the log says more.') unless @headers;
    return [$status, \@headers, [$body // '']];
}

sub {
    my ($env) = @_;
    my $name = $env->{PATH_INFO};
    return plain(404, 'There is nothing here.') if $name =~ m{/\.} || $name =~ /\0/;
    if ($name eq '' || $name =~ m{/$}) {
        my ($found) = grep { -f "$root$name/$_" } @index;
        return plain(404, 'There is nothing here.') unless $found;
        $name = ($name || '/') . $found;
    }
    return $files->({ %$env, PATH_INFO => $name }) unless $name =~ /\.(?:pl|cgi)$/;
    return -f "$root$name" ? run_script($env, "$root$name", $name) : plain(404, 'There is nothing here.');
};
