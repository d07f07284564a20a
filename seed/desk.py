"""The desk around the sample customers: whom colleagues spoke with, and what they left to do."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session, col

from core import clock
from core.models.customer import Customer, Language
from core.models.interaction import Interaction, InteractionChannel, Task, Team
from core.models.user import User
from seed.bulk import table

_SEED = 18
_REASONS = ("bill", "bill", "bill", "payment", "breakdown", "breakdown", "appointment", "usage", "option", "move", "direct_debit", "other")
_CHANNELS = (InteractionChannel.PHONE,) * 6 + (InteractionChannel.CHAT, InteractionChannel.EMAIL, InteractionChannel.SHOP)
_WORDS: dict[str, dict[str, str]] = {
    "fr": {
        "bill": "Facture expliquée ligne par ligne.", "payment": "Paiement en route, preuve montrée.", "breakdown": "Modem redémarré, la ligne tient.",
        "appointment": "Demi-jour confirmé.", "usage": "Alerte réglée à 80 %.", "option": "Option comparée, pas changée.", "move": "Déménage au printemps, rappellera.",
        "direct_debit": "Domiciliation expliquée.", "other": "Renseignement donné.",
    },
    "nl": {
        "bill": "Factuur lijn per lijn uitgelegd.", "payment": "Betaling onderweg, bewijs getoond.", "breakdown": "Modem herstart, lijn werkt.",
        "appointment": "Halve dag bevestigd.", "usage": "Alarm op 80 % gezet.", "option": "Optie vergeleken, niets gewijzigd.", "move": "Verhuist in de lente, belt terug.",
        "direct_debit": "Domiciliëring uitgelegd.", "other": "Inlichting gegeven.",
    },
}  # fmt: skip
_TASKS = {
    "fr": ("Rappeler au sujet de la facture", "Envoyer le comparatif des forfaits", "Vérifier que la ligne tient"),
    "nl": ("Terugbellen over de factuur", "Vergelijking van de abonnementen sturen", "Nagaan of de lijn werkt"),
}


def add(session: Session) -> None:
    """Write talks of the last two months and some open tasks for customers without an account of their own; the same each time."""
    rng, now = Random(_SEED), clock.now()
    told = select(col(User.customer_id)).where(col(User.customer_id).is_not(None))
    query = select(col(Customer.id), col(Customer.language)).where(col(Customer.id).not_in(told), col(Customer.deceased_on).is_(None))
    people = [(number, "nl" if language is Language.NL else "fr") for number, language in session.execute(query.order_by(col(Customer.id)))]
    talks = [_talk(rng, number, language, now) for number, language in people for _ in range(rng.choice((0, 0, 1, 1, 2)))]
    tasks = [_task(rng, number, language) for number, language in people if not rng.randrange(9)]
    for model, rows in ((Interaction, talks), (Task, tasks)):
        if rows:
            session.execute(insert(table(model)), rows)


def _talk(rng: Random, customer_id: int, language: str, now: datetime) -> dict[str, Any]:
    reason, seconds = rng.choice(_REASONS), rng.randrange(60, 900)
    at = now - timedelta(days=rng.randrange(1, 60), minutes=rng.randrange(-400, 60))
    ended_at = at + timedelta(seconds=seconds)
    return {
        "version": 1, "customer_id": customer_id, "channel": rng.choice(_CHANNELS), "reason": reason, "at": at, "ended_at": ended_at, "seconds": seconds,
        "agent": rng.choice(("agent", "agent", "senior")), "note": _WORDS[language][reason],
    }  # fmt: skip


def _task(rng: Random, customer_id: int, language: str) -> dict[str, Any]:
    today: date = clock.today()
    owner = rng.choice(("agent", "senior", None, None))
    return {
        "version": 1, "customer_id": customer_id, "code": "free", "words": rng.choice(_TASKS[language]), "owner": owner,
        "team": None if owner else rng.choice((Team.CARE, Team.CARE, Team.BILLING)), "due": today + timedelta(days=rng.randrange(-3, 15)),
        "created_at": clock.at(today - timedelta(days=rng.randrange(4, 10)), 11), "created_by": "senior",
    }  # fmt: skip
