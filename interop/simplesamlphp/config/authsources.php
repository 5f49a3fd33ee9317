<?php
// People with a password; the names carry what breaks careless XML and encoding.
// HOME/groups.json says who is in which groups: {"<login>": ["<group>", ...], ...}.
$groups = json_decode(file_get_contents(getenv('SSP_HOME') . '/groups.json'), true);
$config = [
    'users' => [
        'exampleauth:UserPass',
        'alice:alicepass' => [
            'uid' => ['alice'],
            'email' => ['alice@example.com'],
            'givenName' => ['Alice'],
            'sn' => ['Ärlig'],
            'groups' => $groups['alice'] ?? [],
        ],
        'bob:bobpass' => [
            'uid' => ['bob'],
            'email' => ['bob@example.com'],
            'givenName' => ['Bob'],
            'sn' => ["O'Neil & <Söhne>"],
            'groups' => $groups['bob'] ?? [],
        ],
    ],
];
