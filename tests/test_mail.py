from vestibule.mail import MemoryMail, Message


async def test_memory_mail_keeps_messages_in_order() -> None:
    mail = MemoryMail()
    first = Message(to="alice@example.com", subject="Hello", text="One")
    second = Message(to="bob@example.com", subject="Hello", text="Two")
    await mail.send(first)
    await mail.send(second)
    assert mail.messages == [first, second]
