"""How a bill looks: the answer in a box at the top right, an overview, the lines, how to pay, what the law wants said."""

from collections.abc import Callable
from functools import partial

from core import i18n
from core.errors import N_
from core.pdf import bill_parts, words
from core.pdf.bill import (
    ADJUSTMENT,
    ONE_OFF,
    OPTION,
    PENALTY,
    SERVICES,
    SUBSCRIPTION,
    THIRD_PARTY,
    TRANSITION,
    USAGE,
    PrintedBill,
    PrintedLine,
)
from core.pdf.paper import ACCENT, BOTTOM, INK, LEFT, LINE, MUTE, RIGHT, SOFT, TOP, Paper

_SECTIONS = (
    (N_("One-off costs"), (ONE_OFF,)),
    (N_("Subscriptions"), (SUBSCRIPTION, OPTION)),
    (N_("Usage outside the bundle"), (USAGE,)),
    (N_("Adjustments"), (ADJUSTMENT,)),
    (N_("Reminder costs, outside VAT"), (PENALTY,)),
    (N_("Services by third parties, VAT included"), (THIRD_PARTY,)),
)
_SERVICE_NAMES = {
    "pack": N_("Pack"),
    "internet": N_("Internet"),
    "tv": N_("Television"),
    "phone": N_("Fixed telephony"),
    "mobile": N_("Mobile"),
    "other": N_("Other services"),
}
_PERIOD, _SUM = 101.0, 169.0
"""Where the columns of the lines stand: periods start at the first, calculations end at the second."""
_ROW, _GUTTER = 5.1, 6.0


def draw(bill: PrintedBill) -> bytes:
    """Draw a bill or a credit note and return its PDF."""
    return _BillPages(bill).draw()


class _BillPages:
    """The pages of one bill, in the order of its methods."""

    def __init__(self, bill: PrintedBill) -> None:
        self.bill = bill
        self.t = partial(i18n.translate, bill.language)
        self.money = partial(i18n.money, language=bill.language)
        self.day = partial(i18n.day, language=bill.language)
        self.name = self.t(bill_parts.title(bill))
        self._amount_word = self.t("Excl. VAT") if bill.priced_excl else self.t("Amount")
        self.paper = Paper(
            title=f"{self.name} {bill.bill_no}",
            author=bill.seller.name,
            language=bill.language,
            created_at=bill.issued_at,
            token=bill.document_token,
        )

    def draw(self) -> bytes:
        self._sender()
        self._amount_box()
        self._addressee()
        self._overview()
        if self.bill.legacy:
            self._legacy_blocks()
        else:
            self._sections()
        self._totals_and_payment()
        self._paragraphs()
        seller = self.bill.seller
        parts = (
            seller.name,
            f"{seller.street}, {seller.postcode} {seller.town}",
            f"{self.t('VAT')} BE {words.enterprise(seller.enterprise_no)}",
            f"IBAN {words.groups_of_four(seller.iban)}",
            *([f"BIC {seller.bic}"] if seller.bic else []),
        )
        foot = [" · ".join(parts)]
        if self.bill.demo_prices:
            foot.append(self.t("Demo prices: an invented company, no payment is expected."))
        return self.paper.finish(foot, self.t("Page {page}/{pages}"))

    # The head of the first page

    def _sender(self) -> None:
        paper, seller = self.paper, self.bill.seller
        paper.mark(LEFT, 14, 11)
        paper.put(LEFT + 15, 18.6, seller.name, 12, bold=True)
        paper.put(LEFT + 15, 22.8, f"{seller.street}, {seller.postcode} {seller.town}", 7.6, colour=MUTE)
        paper.put(LEFT + 15, 26.4, f"{self.t('VAT')} BE {words.enterprise(seller.enterprise_no)}", 7.6, colour=MUTE)

    def _amount_box(self) -> None:
        paper, left = self.paper, 118.0
        label, amount_cents, when = bill_parts.answer(self.bill, self.t)
        paper.area(left, 14, RIGHT - left, 31, SOFT, radius=2.5)
        paper.area(left, 17.5, 1.2, 24, ACCENT)
        paper.put(left + 6, 21.4, label, 8.6, colour=MUTE)
        paper.put(left + 6, 32, self.money(amount_cents), 25, bold=True, colour=ACCENT)
        paper.put(left + 6, 39.8, when, paper.fitting(when, 10.5, RIGHT - left - 10), bold=True)

    def _addressee(self) -> None:
        paper, bill = self.paper, self.bill
        y = paper.write_block(LEFT, 50, 88, bill.customer.name, 10.5, bold=True, most=10)
        for line in words.address(bill.customer, bill.language):
            y = paper.write_block(LEFT, y, 88, line, 10, most=3)
        facts = 52.0
        for label, value in bill_parts.facts(bill, self.t):
            paper.put(118, facts, label, 8.4, colour=MUTE)
            for line in paper.wrap(value, 8.4, 44, bold=True, most=3):
                paper.put(RIGHT, facts, line, 8.4, bold=True, align="right")
                facts += 4.5
        title = max(y + 8, 75.0)
        name = f"{self.name} {bill.bill_no}"
        paper.put(LEFT, title, name, paper.fitting(name, 17, 94), bold=True)
        y = title + 2.5
        if bill.category == TRANSITION:
            sentence = self.t(
                "You move to bills per calendar month: this bill covers {since} to {until}, each day once.",
                since=bill.period_since,
                until=words.last_day(bill.period_until),
            )
            y = paper.write_block(LEFT, title + 5.5, 90, sentence, 8.4, colour=MUTE)
        if bill.credit:
            y = paper.write_block(LEFT, title + 6, 90, self.t("Reason: {reason}", reason=bill.credit.reason), 9, most=6)
        paper.y = max(y, facts) + 3

    # The body

    def _overview(self) -> None:
        """What was used and what it costs, by category of service (R13)."""
        bill, paper = self.bill, self.paper
        if bill.is_credit_note:
            return
        self._heading(self.t("Overview"), self.t("Used") if bill.uses else "", self._amount_word)
        plain = [line for line in bill.lines if line.kind not in {ADJUSTMENT, PENALTY, THIRD_PARTY}]
        for service in SERVICES:
            used = " · ".join(words.volume(use.quantity, use.unit, bill.language) for use in bill.uses if use.service == service)
            lines = [line for line in plain if line.service == service]
            if lines or used:
                self._overview_row(self.t(_SERVICE_NAMES[service]), used, lines)
        for kind, name in (
            (ADJUSTMENT, N_("Adjustments and discounts")),
            (PENALTY, N_("Reminder costs, outside VAT")),
            (THIRD_PARTY, N_("Services by third parties")),
        ):
            lines = [line for line in bill.lines if line.kind == kind]
            if lines:
                self._overview_row(self.t(name), "", lines)
        paper.y += 5

    def _overview_row(self, name: str, used: str, lines: list[PrintedLine]) -> None:
        self._room(_ROW)
        y = self.paper.y + 3.8
        self.paper.put(LEFT, y, name, 8.8)
        self.paper.put(_PERIOD, y, used, 8.8)
        amount = self.money(sum(line.amount_cents for line in lines)) if lines else self.t("included")
        self.paper.put(RIGHT, y, amount, 8.8, align="right")
        self._row_done(_ROW)

    def _sections(self) -> None:
        """The current model: what was bought once, subscriptions, usage, adjustments, and third parties apart."""
        found = [(self.t(name), [line for line in self.bill.lines if line.kind in kinds]) for name, kinds in _SECTIONS]
        self._line_table([(name, lines) for name, lines in found if lines])

    def _legacy_blocks(self) -> None:
        """The old model: what we deliver, what a late payment cost, and what others deliver."""
        own = [line for line in self.bill.lines if line.kind not in {PENALTY, THIRD_PARTY}]
        penalties = [line for line in self.bill.lines if line.kind == PENALTY]
        others = [line for line in self.bill.lines if line.kind == THIRD_PARTY]
        self._line_table(
            [
                (self.t("Services by {seller}", seller=self.bill.seller.name), own),
                *([(self.t("Reminder costs, outside VAT"), penalties)] if penalties else []),
                (self.t("Services by third parties, VAT included"), others),
            ],
            always_total=True,
        )

    def _line_table(self, sections: list[tuple[str, list[PrintedLine]]], *, always_total: bool = False) -> None:
        bill = self.bill
        period = self.t("Period") if any(line.since for line in bill.lines) else ""
        calculation = self.t("Calculation") if any(bill_parts.calculation(line, bill.language) for line in bill.lines) else ""

        def head() -> None:
            self._heading(self.t("Details"), period, self._amount_word, calculation)

        self._room(4 * _ROW)
        head()
        for name, lines in sections:
            self._room(2.6 * _ROW, head)
            self.paper.y += 1.2
            y = self.paper.y + 4
            self.paper.put(LEFT, y, name, 9, bold=True, colour=ACCENT)
            if always_total or len(sections) > 1:
                self.paper.put(RIGHT, y, self.money(sum(line.amount_cents for line in lines)), 9, bold=True, colour=ACCENT, align="right")
            self._row_done(_ROW + 0.4)
            for line in lines:
                self._line(line, head)
        self.paper.y += 5

    def _line(self, line: PrintedLine, head: Callable[[], None]) -> None:
        paper, language, size = self.paper, self.bill.language, 8.6
        detail = line.detail or ""
        width = _PERIOD - LEFT - 3
        beside = paper.width(f"{line.label}   {detail}", size) <= width
        labels = [line.label] if beside else paper.wrap(line.label, size, width, most=3)
        below = [] if beside or not detail else paper.wrap(detail, size - 0.8, width, most=3)
        height = _ROW + 3.8 * (len(labels) + len(below) - 1)
        self._room(height, head)
        y = paper.y + 3.8
        paper.put(LEFT, y, labels[0], size)
        if beside and detail:
            paper.put(LEFT + paper.width(f"{line.label}   ", size), y, detail, size - 0.4, colour=MUTE)
        paper.put(_PERIOD, y, words.period(line.since, line.until, language), size - 0.4, colour=MUTE)
        paper.put(_SUM, y, bill_parts.calculation(line, language), size - 0.4, colour=MUTE, align="right")
        paper.put(RIGHT, y, self.money(line.amount_cents), size, align="right")
        for text in labels[1:]:
            y += 3.8
            paper.put(LEFT, y, text, size)
        for text in below:
            y += 3.8
            paper.put(LEFT, y, text, size - 0.8, colour=MUTE)
        self._row_done(height)

    # The end

    def _totals_and_payment(self) -> None:
        paper, left = self.paper, 114.0
        rows = bill_parts.totals(self.bill, self.t)
        vat = bill_parts.vat_rows(self.bill, self.t)
        payment = bill_parts.payment(self.bill, self.t, paper)
        height = max(bill_parts.height(payment), 5.2 * len(rows) + 4.6 * (len(vat) + 1) + 16)
        self._room(height + 4)
        top = y = paper.y
        for label, amount_cents, strong in rows:
            if strong:
                paper.rule(left, y + 0.6, RIGHT, colour=ACCENT, weight=1)
                y += 1.6
            size, colour = (11, ACCENT) if strong else (8.8, INK)
            paper.put(left, y + 4, label, size, bold=strong, colour=colour)
            paper.put(RIGHT, y + 4, self.money(amount_cents), size, bold=strong, colour=colour, align="right")
            y += 5.2
        y += 5
        for index, row in enumerate(vat):
            paper.put(left, y + 3, row[0], 7.8, colour=INK if index else MUTE)
            for x, text in zip((left + 38, left + 57, RIGHT), row[1:], strict=True):
                paper.put(x, y + 3, text, 7.8, colour=INK if index else MUTE, align="right")
            y += 4.6
            if not index:
                paper.rule(left, y - 0.4, RIGHT)
        if payment:
            bill_parts.draw_payment(paper, payment, top)
        paper.y = max(y, top + bill_parts.height(payment)) + 6

    def _paragraphs(self) -> None:
        """What must be said, in three columns; the shortest one takes the next paragraph."""
        paper, size, step = self.paper, 7.1, 3.3
        width = (RIGHT - LEFT - 2 * _GUTTER) / 3
        found = [(head, paper.wrap(body, size, width)) for head, body in bill_parts.paragraphs(self.bill, self.t)]
        heights = [6.2 + step * len(body) for _head, body in found]
        columns = _columns(heights)
        self._room(max(bottom + height for (_column, bottom), height in zip(columns, heights, strict=True)))
        for (head, body), (column, bottom) in zip(found, columns, strict=True):
            x, y = LEFT + column * (width + _GUTTER), paper.y + bottom
            paper.put(x, y + 3.4, head, 8, bold=True)
            for index, text in enumerate(body):
                paper.put(x, y + 7 + index * step, text, size, colour=MUTE)

    # Tables and pages

    def _heading(self, name: str, middle: str, amount: str, calculation: str = "") -> None:
        paper, y = self.paper, self.paper.y + 3.8
        paper.put(LEFT, y, name, 10.5, bold=True)
        paper.put(_PERIOD, y, middle, 7.8, colour=MUTE)
        paper.put(_SUM, y, calculation, 7.8, colour=MUTE, align="right")
        paper.put(RIGHT, y, amount, 7.8, colour=MUTE, align="right")
        paper.y += 5.8
        paper.rule(LEFT, paper.y, RIGHT, colour=ACCENT, weight=1)

    def _row_done(self, height: float) -> None:
        self.paper.y += height
        self.paper.rule(LEFT, self.paper.y, RIGHT, colour=LINE, weight=0.4)

    def _room(self, height: float, head: Callable[[], None] | None = None) -> None:
        """Go on to a new page when so much doesn't fit any more, and repeat the head of the table there."""
        if self.paper.y + height > BOTTOM:
            self._next_page()
            if head:
                head()

    def _next_page(self) -> None:
        paper, bill = self.paper, self.bill
        paper.add_page()
        paper.put(LEFT, 16, f"{self.name} {bill.bill_no}", 8.4, bold=True, colour=MUTE)
        paper.put(RIGHT, 16, self.t("Customer no. {customer_no}", customer_no=bill.customer_no), 8.4, colour=MUTE, align="right")
        paper.rule(LEFT, 18.5, RIGHT)
        paper.y = TOP


def _columns(heights: list[float]) -> list[tuple[int, float]]:
    """Put blocks into three columns, each under the shortest one; return the column and the top of each."""
    bottoms, placed = [0.0, 0.0, 0.0], []
    for height in heights:
        column = bottoms.index(min(bottoms))
        placed.append((column, bottoms[column]))
        bottoms[column] += height
    return placed
