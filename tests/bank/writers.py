"""Writers of statements for tests: CODA and camt.053 as a bank would write them, with invented accounts of bank code 539."""

from collections.abc import Sequence
from datetime import date
from xml.sax.saxutils import escape

from core.bank.statement import Entry, Nature

OURS = "BE04539000000131"
DAY = date(2026, 11, 17)


def coda(
    entries: Sequence[Entry],
    *,
    account: str = OURS,
    number: str = "231",
    day: date = DAY,
    opening_cents: int = 100_000,
    globalised: Sequence[Sequence[Entry]] = (),
    last: bool = True,
    encoding: str = "latin-1",
) -> bytes:
    """Write a statement; each group of `globalised` becomes one total with its details."""
    lines = [f"0{'':4}{day:%d%m%y}53905{'':8}{'00000001':10}{'GUICHET TELECOM':26}{'':11}{'00999999130':11} {'':5}{'':16}{'':16}{'':7}2"]
    lines[0] = lines[0].replace("0    ", "00000", 1)
    lines.append(f"12{number}{account:34}EUR{_amount(opening_cents)}{day:%d%m%y}{'GUICHET TELECOM':26}{'':35}{number}")
    sequence, amounts = 0, []
    for entry in entries:
        sequence += 1
        amounts.append(entry.amount_cents)
        lines += _movement(sequence, 0, "0", entry, number)
    for group in globalised:
        sequence += 1
        total = sum(entry.amount_cents for entry in group)
        amounts.append(total)
        lines += _movement(sequence, 0, "2", Entry(total, day, bank_reference="BATCH"), number)
        for detail, entry in enumerate(group, 1):
            lines += _movement(sequence, detail, "6", entry, number)
    lines.append(f"8{number}{account:34}EUR{_amount(opening_cents + sum(amounts))}{day:%d%m%y}{'':64}0")
    out, into = -sum(one for one in amounts if one < 0), sum(one for one in amounts if one > 0)
    lines.append(f"9{'':15}{len(lines) - 1:06d}{out:014d}0{into:014d}0{'':75}{'2' if last else '1'}")
    return "".join(f"{line}\r\n" for line in lines).encode(encoding)


def _amount(cents: int) -> str:
    return f"{'1' if cents < 0 else '0'}{abs(cents):014d}0"


def _movement(sequence: int, detail: int, kind: str, entry: Entry, number: str) -> list[str]:
    key = f"{sequence:04d}{detail:04d}"
    family = "05" if entry.nature is Nature.COLLECTION else "01"
    text = f"1101{entry.communication}" if entry.structured else f"0{entry.communication}"
    text = f"{text:150}"
    returned = ("1" if entry.return_code else " ") + f"{entry.return_code:4}"
    return [
        f"21{key}{entry.bank_reference:21}{_amount(entry.amount_cents)}{entry.booked_on:%d%m%y}{kind}{family}50000{text[:54]}{entry.booked_on:%d%m%y}{number}01 0",
        f"22{key}{text[54:107]}{'':35}{'':11}{'':3}{returned[:1]}{returned[1:]}{'':8}1 0",
        f"23{key}{entry.payer_iban:34}EUR{entry.payer_name[:35]:35}{text[107:150]}0 0",
    ]


def camt(
    entries: Sequence[Entry],
    *,
    account: str = OURS,
    number: str = "231",
    day: date = DAY,
    opening_cents: int = 100_000,
    version: str = "08",
    batches: Sequence[Sequence[Entry]] = (),
    head: str = "",
) -> bytes:
    """Write a statement of a version; each group of `batches` becomes one entry with several parts."""
    closing = opening_cents + sum(one.amount_cents for one in (*entries, *(part for group in batches for part in group)))
    body = "".join(_ntry([entry], version) for entry in entries) + "".join(_ntry(group, version) for group in batches)
    balances = _balance("OPBD", opening_cents, day) + _balance("CLBD", closing, day)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{head}<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">\n'
        f"<BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId><CreDtTm>{day}T20:00:00</CreDtTm></GrpHdr>\n<Stmt><Id>{number}</Id>"
        f"<ElctrncSeqNb>{number}</ElctrncSeqNb><CreDtTm>{day}T20:00:00</CreDtTm>\n<Acct><Id><IBAN>{account}</IBAN></Id></Acct>\n{balances}"
        f"{body}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _sum(cents: int) -> str:
    return f'<Amt Ccy="EUR">{abs(cents) // 100}.{abs(cents) % 100:02d}</Amt><CdtDbtInd>{"CRDT" if cents >= 0 else "DBIT"}</CdtDbtInd>'


def _balance(kind: str, cents: int, day: date) -> str:
    return f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{_sum(cents)}<Dt><Dt>{day}</Dt></Dt></Bal>\n"


def _ntry(parts: Sequence[Entry], version: str) -> str:
    first = parts[0]
    booked = "BOOK" if version == "02" else "<Cd>BOOK</Cd>"
    reversal = "<RvslInd>true</RvslInd>" if first.nature is Nature.REVERSAL else ""
    family = "IDDT" if first.nature is Nature.COLLECTION else "RCDT"
    code = f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
    return (
        f"<Ntry>{_sum(sum(part.amount_cents for part in parts))}{reversal}<Sts>{booked}</Sts><BookgDt><Dt>{first.booked_on}</Dt></BookgDt>"
        f"{code}<NtryDtls>{''.join(_part(part, version) for part in parts)}</NtryDtls></Ntry>\n"
    )


def _part(entry: Entry, version: str) -> str:
    side = "Dbtr" if entry.amount_cents > 0 else "Cdtr"
    name = f"<Nm>{escape(entry.payer_name)}</Nm>"
    party = name if version == "02" else f"<Pty>{name}</Pty>"
    amount = (
        f"<AmtDtls><TxAmt>{_sum(entry.amount_cents).split('<Cdt')[0]}</TxAmt></AmtDtls>" if version == "02" else _sum(entry.amount_cents)
    )
    told = f"<Ustrd>{escape(entry.communication)}</Ustrd>"
    if entry.structured:
        told = f"<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry><Issr>BBA</Issr></Tp><Ref>{entry.communication}</Ref></CdtrRefInf></Strd>"
    returned = f"<RtrInf><Rsn><Cd>{entry.return_code}</Cd></Rsn></RtrInf>" if entry.return_code else ""
    account = f"<{side}Acct><Id><IBAN>{entry.payer_iban}</IBAN></Id></{side}Acct>" if entry.payer_iban else ""
    return (
        f"<TxDtls><Refs><AcctSvcrRef>{entry.bank_reference}</AcctSvcrRef></Refs>{amount}<RltdPties><{side}>{party}</{side}>{account}</RltdPties>"
        f"<RmtInf>{told}</RmtInf>{returned}</TxDtls>"
    )
