"""How the counters of a line are called and written: on their card, and where periods are compared."""

from core import i18n
from core.errors import N_
from core.services.consumption import Counter, minutes
from core.ui.text import language, t, tn

KB_PER_MB = 1000
KB_PER_GB = 1_000_000
SECONDS_PER_HOUR = 3600

LABELS = {
    Counter.INTERNET: N_("Internet"),
    Counter.DATA: N_("Data"),
    Counter.CALLS: N_("Calls"),
    Counter.OFFPEAK: N_("Fixed line, off-peak"),
    Counter.PEAK: N_("Fixed line, peak"),
    Counter.TEXTS: N_("Texts"),
    Counter.PICTURES: N_("Picture messages"),
    Counter.TELEVISION: N_("Television"),
    Counter.PREMIUM: N_("Premium services"),
    Counter.ADDED: N_("Volume added"),
    Counter.ABROAD: N_("Outside the EU"),
}


def quantity(counter: Counter, amount: int) -> str:
    """Write a counter's amount with its unit: data in MB up to a bundle of 100 GB, whole-home internet in GB."""
    number = bare(counter, amount)
    if counter is Counter.INTERNET:
        return f"{number} {t('GB')}"
    if counter in {Counter.DATA, Counter.ADDED}:
        return f"{number} {t('MB')}"
    if counter is Counter.TELEVISION:
        return f"{number} h"
    if counter in {Counter.CALLS, Counter.OFFPEAK, Counter.PEAK}:
        return f"{number} min"
    if counter is Counter.ABROAD:
        return tn("{count} time", "{count} times", amount)
    return f"{number} SMS" if counter in {Counter.TEXTS, Counter.PREMIUM} else f"{number} MMS"


def bare(counter: Counter, amount: int) -> str:
    """Write a counter's amount without its unit."""
    if counter is Counter.INTERNET:
        return i18n.decimal(amount / KB_PER_GB, language())
    if counter in {Counter.DATA, Counter.ADDED}:
        return i18n.number(-(-amount // KB_PER_MB), language())
    if counter is Counter.TELEVISION:
        return i18n.number(amount // SECONDS_PER_HOUR, language())
    if counter in {Counter.CALLS, Counter.OFFPEAK, Counter.PEAK}:
        return i18n.number(minutes(amount), language())
    return i18n.number(amount, language())
