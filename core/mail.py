"""Hands an e-mail to the mail server of `GUICHET_SMTP_URL`: smtp://, smtp+starttls:// or smtps://, with user and password where it asks."""

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from core import clock

_TIMEOUT_SECONDS = 20
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def post(url: str, *, sender: str, name: str, to: str, subject: str, body: str, reference: str) -> None:
    """Hand over one e-mail. Raises OSError or smtplib.SMTPException where the server does not take it, ValueError for a wrong address."""
    server = urlsplit(url)
    if server.scheme not in _PORTS or not server.hostname:
        msg = "GUICHET_SMTP_URL must begin with smtp://, smtp+starttls:// or smtps:// and name a host."
        raise ValueError(msg)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = Address(name, addr_spec=sender), to, " ".join(subject.split())
    message["Date"], message["Message-ID"] = format_datetime(clock.real_now()), f"<{reference}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    port, context = server.port or _PORTS[server.scheme], ssl.create_default_context()
    if server.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(server.hostname, port, timeout=_TIMEOUT_SECONDS, context=context)
    else:
        connection = smtplib.SMTP(server.hostname, port, timeout=_TIMEOUT_SECONDS)
    with connection:
        if server.scheme == "smtp+starttls":
            connection.starttls(context=context)
        if server.username:
            connection.login(unquote(server.username), unquote(server.password or ""))
        connection.send_message(message)
