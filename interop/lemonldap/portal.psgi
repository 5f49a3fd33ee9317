use strict;
use warnings;
use utf8;
use Encode qw(encode);
use JSON qw(decode_json);
use Plack::Builder;
use Lemonldap::NG::Portal::UserDB::Demo;
use Lemonldap::NG::Portal::Main;

# One more built-in person (the password is the login, as with the others); the name carries what
# breaks careless XML and encoding.
$Lemonldap::NG::Portal::UserDB::Demo::demoAccounts{zoe} = {
    uid  => 'zoe',
    cn   => encode('UTF-8', "Zoë O'Neil & <Söhne>"),
    mail => 'zoe@badwolf.org',
};

# Who is in which groups, as of this moment: {"<login>": ["<group>", ...], ...}.
sub read_groups {
    open my $file, '<', "$ENV{LLNG_HOME}/groups.json" or die $!;
    local $/;
    my $groups = decode_json(<$file>);
    my %members;
    for my $login ( keys %$groups ) {
        push @{ $members{$_} }, $login for @{ $groups->{$login} };
    }
    %Lemonldap::NG::Portal::UserDB::Demo::demoGroups = %members;
}

my $portal = Lemonldap::NG::Portal::Main->run( {} );
builder {
    enable 'Plack::Middleware::Static',
      path => qr{^/static/},
      root => '/usr/share/lemonldap-ng/portal/htdocs/';
    enable 'Plack::Middleware::Static',
      path => qr{^/javascript/},
      root => '/usr/share/';
    sub { read_groups(); $portal->(@_) };
};
