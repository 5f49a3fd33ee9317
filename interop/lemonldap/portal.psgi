use strict;
use warnings;
use utf8;
use Encode qw(encode);
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

my $portal = Lemonldap::NG::Portal::Main->run( {} );
builder {
    enable 'Plack::Middleware::Static',
      path => qr{^/static/},
      root => '/usr/share/lemonldap-ng/portal/htdocs/';
    enable 'Plack::Middleware::Static',
      path => qr{^/javascript/},
      root => '/usr/share/';
    $portal;
};
