"""How looks at a customer's data, and their reasons, are called on the screen and in files."""

from core.errors import N_
from core.services.access import Masked, Why

WHY = {
    Why.CALLER: N_("The customer is on the line"),
    Why.FOLLOW_UP: N_("I follow up on earlier work"),
    Why.ASKED: N_("A colleague asked me to look"),
    Why.COMPLAINT: N_("A complaint, or a question of the authorities"),
    Why.CHECK: N_("A check of our own work"),
    Why.OTHER: N_("Another reason"),
}
MASKED = {Masked.BIRTH_DATE: N_("birth date"), Masked.IBAN: N_("account number")}
LOOKS = {
    "customer:open": N_("File opened"),
    "customer:reason": N_("Reason given"),
    "customer:found": N_("Found by a search"),
    "customer:export": N_("All data handed over (ZIP)"),
    "customer:watch": N_("Seen as the customer"),
    "personal:reveal": N_("Masked value shown"),
    "question:check": N_("Security answer compared"),
    "document:open": N_("Document opened"),
    "message:open": N_("Message read"),
    "bill:download": N_("Bill downloaded"),
    "e_invoice:download": N_("E-invoice downloaded"),
    "mandate:download": N_("Mandate downloaded"),
    "usage:export": N_("Usage exported"),
    "looks:report": N_("Report of looks read"),
    "looks:export": N_("Report of looks exported"),
}
"""What counts as a look, by the action of the trail."""
