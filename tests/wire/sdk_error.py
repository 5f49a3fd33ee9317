"""What an SDK threw, whichever it was."""


class SdkError(Exception):
    """`kind` is the class that the SDK threw; None stands for what it does not know."""

    def __init__(
        self,
        words: str,
        *,
        kind: str,
        status_code: int | None,
        error_type: str | None,
        error_message: str | None,
        error_url: str | None,
        request_id: str | None,
    ) -> None:
        super().__init__(words)
        self.kind = kind
        self.status_code = status_code
        self.error_type = error_type
        self.error_message = error_message
        self.error_url = error_url
        self.request_id = request_id
