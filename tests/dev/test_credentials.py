from vestibule.dev.credentials import SECRET, TEST_PROJECT


def test_secret_is_not_shown() -> None:
    assert SECRET not in repr(TEST_PROJECT)
    assert TEST_PROJECT.project_id in repr(TEST_PROJECT)
