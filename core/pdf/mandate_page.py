"""How a mandate looks: one page, the words of the SEPA Core scheme, and the signature."""

from functools import partial

from core import i18n
from core.pdf import words
from core.pdf.mandate import PrintedMandate
from core.pdf.paper import ACCENT, LEFT, LINE, MUTE, RIGHT, SOFT, Paper

_LABEL, _VALUE = LEFT, 78.0


def draw(mandate: PrintedMandate) -> bytes:
    """Draw a mandate and return its PDF."""
    t = partial(i18n.translate, mandate.language)
    seller = mandate.seller
    paper = Paper(
        title=f"{t('SEPA direct debit mandate')} {mandate.umr}",
        author=seller.name,
        language=mandate.language,
        created_at=mandate.issued_at,
        token=mandate.document_token,
    )
    paper.mark(LEFT, 14, 11)
    paper.put(LEFT + 15, 18.6, seller.name, 12, bold=True)
    paper.put(LEFT + 15, 22.8, f"{seller.street}, {seller.postcode} {seller.town}", 7.6, colour=MUTE)
    paper.put(LEFT, 44, t("SEPA direct debit mandate"), 20, bold=True)
    paper.put(LEFT, 51, t("Core scheme, recurrent payments"), 10, colour=MUTE)

    paper.area(118, 14, RIGHT - 118, 20, SOFT, radius=2.5)
    paper.area(118, 17, 1.2, 14, ACCENT)
    paper.put(124, 21, t("Mandate reference (UMR)"), 8.4, colour=MUTE)
    paper.put(124, 29, mandate.umr, 15, bold=True, colour=ACCENT)

    y = _part(paper, 66, t("Creditor"), [
        (t("Name"), seller.name),
        (t("Address"), f"{seller.street}, {seller.postcode} {seller.town}, BE"),
        (t("Creditor identifier"), seller.creditor_id),
    ])  # fmt: skip
    debtor = [
        (t("Name of the account holder"), mandate.holder),
        ("IBAN", words.groups_of_four(mandate.iban)),
        (t("Customer"), f"{mandate.customer.name} · {mandate.customer_no}"),
        (t("Address"), ", ".join(words.address(mandate.customer, mandate.language))),
        (t("Type of payment"), t("Recurrent")),
    ]
    if mandate.amends_iban:
        debtor.insert(2, (t("Replaces the account"), words.groups_of_four(mandate.amends_iban)))
    y = _part(paper, y + 6, t("Debtor"), debtor)
    y = _part(paper, y + 6, t("What you agree to"), [])
    for sentence in _consent(mandate, partial(t, seller=seller.name)):
        y = paper.write_block(LEFT, y + 4.6, RIGHT - LEFT, sentence, 9.2) - 2.4
    _signature(paper, mandate, y + 10)
    foot = [f"{seller.name} · BE {words.enterprise(seller.enterprise_no)} · {seller.phone} · {seller.email}"]
    return paper.finish(foot, t("Page {page}/{pages}"))


def _consent(mandate: PrintedMandate, t: partial[str]) -> list[str]:
    """The words of the scheme, then the shorter notice that both sides agree on (R7)."""
    return [
        t("By signing this mandate you authorise (A) {seller} to send instructions to your bank to debit your account and (B) your bank to "
          "debit your account in accordance with the instructions from {seller}."),
        t("As part of your rights, you are entitled to a refund from your bank under the terms and conditions of your agreement with it. A "
          "refund must be claimed within {weeks} weeks from the date on which your account was debited.", weeks=mandate.refund_weeks),
        t("You agree that the amount and the date of each debit are announced at least {days} days in advance, instead of 14: the bill is this "
          "announcement.", days=mandate.prenotification_days),
        t("You can revoke this mandate at any time, with {seller} or with your bank. Your rights are explained in a statement that you can "
          "obtain from your bank."),
    ]  # fmt: skip


def _signature(paper: Paper, mandate: PrintedMandate, y: float) -> None:
    t = partial(i18n.translate, mandate.language)
    paper.area(LEFT, y, RIGHT - LEFT, 26, SOFT, radius=2.5)
    paper.put(LEFT + 6, y + 8, t("Signature"), 10.5, bold=True)
    if mandate.signed_on:
        how = t("on paper, the signed form is kept by us") if mandate.signed_by == "paper" else t("with the code that was sent to you")
        paper.put(LEFT + 6, y + 15.5, t("Signed on {signed_on}", signed_on=mandate.signed_on), 11, bold=True, colour=ACCENT)
        paper.put(LEFT + 6, y + 21, how, 8.6, colour=MUTE)
        return
    for x, until, label in ((LEFT + 6, 84, t("Date and place")), (96, RIGHT - 6, t("Signature of the account holder"))):
        paper.rule(x, y + 19, until, colour=MUTE)
        paper.put(x, y + 23, label, 7.4, colour=MUTE)


def _part(paper: Paper, y: float, name: str, rows: list[tuple[str, str]]) -> float:
    """Write a heading and its rows; return where the next thing may start."""
    paper.put(_LABEL, y, name, 11, bold=True)
    paper.rule(LEFT, y + 2.2, RIGHT, colour=ACCENT, weight=1)
    y += 2.2
    for label, value in rows:
        paper.put(_LABEL, y + 4.8, label, 9, colour=MUTE)
        end = paper.write_block(_VALUE, y + 4.8, RIGHT - _VALUE, value, 9.2, bold=True, most=6)
        y = end - 4.8 + 1.9 + 1.2
        paper.rule(LEFT, y, RIGHT, colour=LINE, weight=0.4)
    return y + 4
