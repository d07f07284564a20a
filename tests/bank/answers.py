"""Answers of a bank to collections, as banks write them: refused before the day, or sent back after it."""

PAIN = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>
<GrpHdr><MsgId>R1</MsgId><CreDtTm>{day}T09:30:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>SDD-20261116-01</OrgnlMsgId><OrgnlMsgNmId>pain.008.001.08</OrgnlMsgNmId>{whole}</OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>SDD-20261116-01-01</OrgnlPmtInfId>{lines}</OrgnlPmtInfAndSts>
</CstmrPmtStsRpt></Document>"""
PAIN_LINE = """<TxInfAndSts><OrgnlInstrId>x</OrgnlInstrId><OrgnlEndToEndId>{id}</OrgnlEndToEndId><TxSts>{status}</TxSts>
<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>{amount}</TxInfAndSts>"""
CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{kind}.001.08"><{report}><GrpHdr><MsgId>S1</MsgId><CreDtTm>{day}T18:00:00</CreDtTm></GrpHdr><{part}>
<Ntry><Amt Ccy="EUR">99.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><BookgDt><Dt>{day}</Dt></BookgDt>
<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">8.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><BookgDt><Dt>{day}</Dt></BookgDt><NtryDtls>{lines}</NtryDtls></Ntry>
</{part}></{report}></Document>"""
CAMT_LINE = """<TxDtls><Refs><EndToEndId>{id}</EndToEndId></Refs>{amount}<RtrInf>{reason}</RtrInf></TxDtls>"""


def pain(*lines: tuple[str, str], day: str = "2026-11-13", version: str = "10", status: str = "RJCT", euros: str | None = None) -> bytes:
    """A pain.002 that gives a status to collections, by id and code."""
    amount = f'<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">{euros}</InstdAmt></Amt></OrgnlTxRef>' if euros else ""
    told = "".join(PAIN_LINE.format(id=one, code=code, status=status, amount=amount) for one, code in lines)
    return PAIN.format(version=version, day=day, whole="", lines=told).encode()


def pain_of_a_file(code: str) -> bytes:
    """A pain.002 that refuses a whole file."""
    reason = f"<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>"
    return PAIN.format(version="03", day="2026-11-13", whole=reason, lines="").encode()


def camt(*lines: tuple[str, str], day: str = "2026-11-17", kind: str = "camt.053", euros: str | None = None) -> bytes:
    """A camt that sends collections back, by id and code, beside a transfer."""
    amount = f'<AmtDtls><TxAmt><Amt Ccy="EUR">{euros}</Amt></TxAmt></AmtDtls>' if euros else ""
    told = "".join(CAMT_LINE.format(id=one, amount=amount, reason=f"<Rsn><Cd>{code}</Cd></Rsn>" if code else "") for one, code in lines)
    report, part = ("BkToCstmrStmt", "Stmt") if kind == "camt.053" else ("BkToCstmrDbtCdtNtfctn", "Ntfctn")
    return CAMT.format(kind=kind, report=report, part=part, day=day, lines=told).encode()
