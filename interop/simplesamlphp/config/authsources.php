<?php
// People with a password; the names carry what breaks careless XML and encoding.
$config = [
    'users' => [
        'exampleauth:UserPass',
        'alice:alicepass' => [
            'uid' => ['alice'],
            'email' => ['alice@example.com'],
            'givenName' => ['Alice'],
            'sn' => ['Ärlig'],
            'groups' => ['staff', 'engineering'],
        ],
        'bob:bobpass' => [
            'uid' => ['bob'],
            'email' => ['bob@example.com'],
            'givenName' => ['Bob'],
            'sn' => ["O'Neil & <Söhne>"],
            'groups' => [],
        ],
    ],
];
