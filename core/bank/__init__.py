"""Files that banks send and take: bytes in, values out, and the other way round."""
