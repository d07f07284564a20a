"""The sample customers' papers as printed values, with the amounts of the scenarios."""

import json
from datetime import UTC, date, datetime
from typing import Any

from core.pdf.bill import (
    PrintedAdvice,
    PrintedBill,
    PrintedCredit,
    PrintedDebit,
    PrintedLine,
    PrintedUse,
    PrintedVat,
)
from core.pdf.mandate import PrintedMandate
from core.pdf.values import PrintedMediator, PrintedParty, PrintedSeller

TOKEN = "0123456789abcdef0123456789abcdef"
ISSUED = datetime(2026, 11, 5, 3, 0, tzinfo=UTC)
SELLER = PrintedSeller(
    name="Guichet Télécom SA (démo)",
    street="Boulevard du Guichet 1",
    postcode="1000",
    town="Bruxelles",
    enterprise_no="0999999130",
    iban="BE04539000000131",
    bic=None,
    creditor_id="BE25ZZZ0999999130",
    phone="02 100 00 00",
    email="service@guichet.example",
    comparison_site="www.meilleurtarif.be",
    mediator=PrintedMediator(
        name="Service de médiation pour les télécommunications",
        address="Boulevard du Roi Albert II 8 bte 3, 1000 Bruxelles",
        phone="02 223 09 09",
        site="www.ombudsmantelecom.be",
    ),
)


def party(name: str, street: str, number: str, postcode: str, town: str, **more: Any) -> PrintedParty:
    return PrintedParty(name=name, street=street, number=number, box=more.pop("box", None), postcode=postcode, town=town, **more)


def line(kind: str, service: str, label: str, amount_cents: int, **more: Any) -> PrintedLine:
    return PrintedLine(kind=kind, service=service, label=label, amount_cents=amount_cents, **more)


NOVEMBER = {"since": date(2026, 11, 1), "until": date(2026, 12, 1)}
DECEMBER = {"since": date(2026, 12, 1), "until": date(2027, 1, 1)}


def month(
    service: str, label: str, cents: int, detail: str | None = None, *, kind: str = "subscription", when: dict[str, date] = NOVEMBER
) -> PrintedLine:
    return line(kind, service, label, cents, detail=detail, unit_price_cents=cents, **when)


def bill(**changes: Any) -> PrintedBill:
    """P01's bill of 5 November, 78.00, or a change of it."""
    facts: dict[str, Any] = {
        "category": "normal",
        "legacy": False,
        "language": "fr",
        "bill_no": "2611000017",
        "bill_date": date(2026, 11, 5),
        "due_date": date(2026, 11, 20),
        "period_since": date(2026, 11, 1),
        "period_until": date(2026, 12, 1),
        "seller": SELLER,
        "customer": party("Sophie Lambert", "Rue de Fer", "12", "5000", "Namur"),
        "customer_no": "10000017",
        "easy_switch_id": "ES10000017",
        "lines": (
            month("pack", "Scarlet Trio", 4200, "081 00 00 01"),
            month("tv", "Décodeur TV supplémentaire", 500, kind="option"),
            month("mobile", "Mobile Red", 800, "0470 00 00 01, Sophie"),
            month("mobile", "Mobile Hot", 1500, "0470 00 00 11, Amadou"),
            month("mobile", "Mobile Red", 800, "0470 00 00 12, Noa"),
        ),
        "vat": (PrintedVat(21, 6446, 1354),),
        "issued_at": ISSUED,
        "document_token": TOKEN,
        "ogm": "+++261/1000/01792+++",
        "uses": (
            PrintedUse("pack", 118000, "megabyte"),
            PrintedUse("phone", 45, "minute"),
            PrintedUse("mobile", 8420, "megabyte"),
            PrintedUse("mobile", 212, "minute"),
            PrintedUse("mobile", 96, "message"),
        ),
        "free_exit_on": date(2024, 3, 1),
    }
    return PrintedBill(**facts | changes)


def next_bill() -> PrintedBill:
    """P01's bill of December: 1,240 MB above the bundle and 6.00 for third parties; with the advice of the year."""
    october = {"since": date(2026, 11, 1), "until": date(2026, 12, 1)}
    own = tuple(month(each.service, each.label, each.amount_cents, each.detail, kind=each.kind, when=DECEMBER) for each in bill().lines)
    extra = (
        line(
            "usage",
            "mobile",
            "Internet mobile hors forfait",
            6200,
            detail="0470 00 00 12, Noa",
            quantity=1240,
            unit="megabyte",
            unit_price_cents=5,
            **october,
        ),
        line(
            "thirdParty",
            "mobile",
            "SMS premium",
            600,
            detail="0470 00 00 12, Noa · 6xxx",
            quantity=3,
            unit="message",
            unit_price_cents=200,
            **october,
        ),
    )
    return bill(
        bill_no="2612000017",
        bill_date=date(2026, 12, 5),
        due_date=date(2026, 12, 20),
        period_since=date(2026, 12, 1),
        period_until=date(2027, 1, 1),
        lines=own + extra,
        vat=(PrintedVat(21, 11570, 2430),),
        ogm="+++261/2000/01736+++",
        advice=PrintedAdvice(),
        mailbox_months=18,
    )


def business_bill() -> PrintedBill:
    """P04: priced without VAT, 72.73 + 15.27 = 88.00, with an order reference."""
    return bill(
        bill_no="2611000048",
        due_date=date(2026, 12, 5),
        customer=party("Boulangerie Martin SRL", "Rue Léopold", "8", "4000", "Liège", vat_no="BE0999999031"),
        customer_no="10000048",
        easy_switch_id="ES10000048",
        lines=(
            month("internet", "Internet Loco", 2645),
            month("mobile", "Mobile Chili", 2314, "0470 00 00 04"),
            month("mobile", "Mobile Chili", 2314, "0470 00 00 14"),
        ),
        vat=(PrintedVat(21, 7273, 1527),),
        ogm="+++261/1000/04826+++",
        priced_excl=True,
        order_reference="BM-2026",
        uses=(PrintedUse("internet", 402000, "megabyte"), PrintedUse("mobile", 31, "gigabyte")),
    )


def debit_bill() -> PrintedBill:
    """P10: in German, collected on Monday 16 November because the 15th is a Sunday."""
    return bill(
        language="de",
        bill_no="2611000109",
        due_date=date(2026, 11, 15),
        customer=party("Dieter Schmitz", "Klosterstraße", "14", "4700", "Eupen"),
        customer_no="10000109",
        easy_switch_id="ES10000109",
        lines=(
            month("pack", "Scarlet Trio", 4200, "087 00 00 10"),
            month("phone", "Kostenlos telefonieren in der Hauptzeit", 500, kind="option"),
        ),
        vat=(PrintedVat(21, 3884, 816),),
        ogm="+++261/1000/10987+++",
        uses=(PrintedUse("pack", 226000, "megabyte"), PrintedUse("phone", 63, "minute")),
        debit=PrintedDebit(umr="SCA1000010901", debit_on=date(2026, 11, 16), iban_end="1040"),
    )


def legacy_bill() -> PrintedBill:
    """P09: the old model, 20 October to 19 November."""
    when = {"since": date(2026, 10, 20), "until": date(2026, 11, 20)}
    return bill(
        legacy=True,
        bill_no="2610000093",
        bill_date=date(2026, 10, 20),
        due_date=date(2026, 11, 4),
        period_since=when["since"],
        period_until=when["until"],
        customer=party("Lucienne Moreau", "Grand-Place", "7", "7000", "Mons"),
        customer_no="10000093",
        easy_switch_id="ES10000093",
        lines=(month("mobile", "Mobile Red", 800, "0470 00 00 09", when=when),),
        vat=(PrintedVat(21, 661, 139),),
        ogm="+++261/0000/09344+++",
        uses=(PrintedUse("mobile", 61, "minute"), PrintedUse("mobile", 14, "message")),
    )


def transition_bill() -> PrintedBill:
    """P09 on 5 December: 2.93 for 20 to 30 November, and December."""
    days = {"since": date(2026, 11, 20), "until": date(2026, 12, 1)}
    return bill(
        category="transition",
        bill_no="2612000093",
        bill_date=date(2026, 12, 5),
        due_date=date(2026, 12, 20),
        period_since=days["since"],
        period_until=date(2027, 1, 1),
        customer=party("Lucienne Moreau", "Grand-Place", "7", "7000", "Mons"),
        customer_no="10000093",
        easy_switch_id="ES10000093",
        lines=(
            line(
                "subscription",
                "mobile",
                "Mobile Red",
                293,
                detail="0470 00 00 09",
                unit_price_cents=800,
                share_days=11,
                month_days=30,
                **days,
            ),
            month("mobile", "Mobile Red", 800, "0470 00 00 09", when=DECEMBER),
        ),
        vat=(PrintedVat(21, 903, 190),),
        ogm="+++261/2000/09382+++",
        uses=(),
    )


def missed_visit_note() -> PrintedBill:
    """P08: 30.00 without VAT for a visit that was missed."""
    return bill(
        category="creditNote",
        bill_no="2610900086",
        bill_date=date(2026, 10, 22),
        due_date=date(2026, 10, 22),
        customer=party("Ahmed Haddad", "Chaussée de Gand", "200", "1080", "Molenbeek-Saint-Jean"),
        customer_no="10000086",
        easy_switch_id="ES10000086",
        lines=(line("adjustment", "other", "Indemnité pour rendez-vous manqué", 3000, detail="visite du 21/10/2026"),),
        vat=(PrintedVat(0, 3000, 0),),
        ogm=None,
        uses=(),
        credit=PrintedCredit(refers_to="2611000086", reason="le technicien n'est pas venu au rendez-vous du 21/10/2026"),
    )


def refund_note() -> PrintedBill:
    """P13: 12.80 with VAT, paid back."""
    return bill(
        category="creditNote",
        language="nl",
        bill_no="2609900130",
        bill_date=date(2026, 9, 19),
        due_date=date(2026, 9, 19),
        customer=party("Nathalie Wouters", "Meir", "50", "2000", "Antwerpen", box="2"),
        customer_no="10000130",
        easy_switch_id="ES10000130",
        lines=(
            line(
                "adjustment",
                "internet",
                "Internet Loco",
                1280,
                since=date(2026, 9, 19),
                until=date(2026, 10, 1),
                unit_price_cents=3200,
                share_days=12,
                month_days=30,
            ),
        ),
        vat=(PrintedVat(21, 1058, 222),),
        ogm=None,
        uses=(),
        credit=PrintedCredit(refers_to="2609000130", reason="19-30 september, na het einde van het contract", refund_iban_end="1343"),
    )


def long_bill(count: int = 60) -> PrintedBill:
    """A company with as many lines as asked, each 10.00 without VAT."""
    lines = tuple(month("mobile", "Mobile Chili", 1000, f"0470 00 {index:02d} 00, Poste {index + 1}") for index in range(count))
    base = 1000 * count
    return bill(lines=lines, vat=(PrintedVat(21, base, (base * 21 + 50) // 100),), priced_excl=True, uses=())


def mandate(**changes: Any) -> PrintedMandate:
    """P06's mandate, signed with a code, or a change of it."""
    facts: dict[str, Any] = {
        "language": "nl",
        "umr": "SCA1000006201",
        "seller": SELLER,
        "customer": party("Marie Claes", "Bondgenotenlaan", "20", "3000", "Leuven"),
        "customer_no": "10000062",
        "holder": "Marie Claes",
        "iban": "BE46539000000636",
        "issued_at": ISSUED,
        "document_token": TOKEN,
        "prenotification_days": 10,
        "refund_weeks": 8,
        "signed_on": date(2024, 10, 1),
        "signed_by": "code",
    }
    return PrintedMandate(**facts | changes)


def stored(value: PrintedBill | PrintedMandate) -> Any:
    """Return a value as a database hands it back."""
    return type(value).from_dict(json.loads(json.dumps(value.to_dict())))
