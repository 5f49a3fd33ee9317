<?php
// HOME/sps.json: {"<entity ID>": {"AssertionConsumerService": "...", ...}, ...} with any option of
// saml20-sp-remote (saml20.sign.assertion, assertion.encryption, validate.authnrequest, keys ...).
$file = getenv('SSP_HOME') . '/sps.json';
foreach (json_decode(file_get_contents($file), true) as $entity => $options) {
    $metadata[$entity] = $options;
}
