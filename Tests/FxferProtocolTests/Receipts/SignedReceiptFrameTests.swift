import FxferProtocol
import Testing

@Suite("Frames of signed receipts, as bytes")
struct SignedReceiptFrameTests {
    private static func receipt(
        _ outcome: Receipt.Outcome,
        _ stored: StoredEntry,
        signature: [UInt8]
    ) -> Receipt {
        Receipt(
            file: 7,
            outcome: outcome,
            content: FilePrefix(ofContent: [1, 2, 3]),
            path: Array("a/b".utf8),
            attestation: ReceiptAttestation(stored: stored, signature: signature)
        )
    }

    /// Made from the specification by Python's struct and zlib, not by this code.
    static let examples: [(frame: Frame, bytes: [UInt8])] = [
        (
            .receipt(
                Self.receipt(
                    .identical,
                    StoredEntry(time: FileTime(seconds: 1_700_000_000, nanoseconds: 5), durability: .durable),
                    signature: Array(0..<8)
                )
            ),
            hex(
                """
                0000005218000000b25c3cb2
                00000007010000000000000000000003
                039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81
                0003612f62
                8001000d000000006553f1000000000502
                800200080001020304050607
                b00d3ef3
                """
            )
        ),
        (
            .receipt(
                Self.receipt(
                    .stored,
                    StoredEntry(
                        time: FileTime(seconds: 253_402_300_799, nanoseconds: 999_999_999),
                        durability: .media,
                        entry: Digest(bytes: [UInt8](repeating: 0x33, count: 32))
                    ),
                    signature: [UInt8](repeating: 0x44, count: 72)
                )
            ),
            hex(
                """
                000000b2180000009a88fb6d
                00000007000000000000000000000003
                039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81
                0003612f62
                8001002d0000003afff4417f3b9ac9ff033333333333333333333333333333333333333333333333
                333333333333333333
                80020048
                44444444444444444444444444444444444444444444444444444444444444444444444444444444
                4444444444444444444444444444444444444444444444444444444444444444
                e855cbe1
                """
            )
        ),
        (
            .welcome(
                Welcome(
                    version: 1,
                    filesInFlight: 64,
                    chunkSize: 1 << 20,
                    capabilities: 4,
                    nonce: Nonce(repeating: 0x22),
                    receiptKey: [UInt8](repeating: 0x55, count: 91)
                )
            ),
            hex(
                """
                0000008f02000000fc9d30a1
                00010040001000000000000000000004
                2222222222222222222222222222222222222222222222222222222222222222
                8001005b
                55555555555555555555555555555555555555555555555555555555555555555555555555555555
                55555555555555555555555555555555555555555555555555555555555555555555555555555555
                5555555555555555555555
                d891f52d
                """
            )
        ),
    ]

    @Test("a frame's bytes are those of the specification", arguments: Self.examples)
    func exactBytes(frame: Frame, bytes: [UInt8]) {
        #expect(frame.bytes == bytes)
        #expect(Decoded(behindPreamble: bytes).events == [.frame(frame)])
    }

    private static let stored = hex("8001 000d 000000006553f100 00000005 02")
    private static let signature = hex("8002 0008 0001020304050607")

    static let unsigned: [(why: String, fields: [UInt8])] = [
        ("no signature", Self.stored),
        ("nothing but a signature", Self.signature),
        ("an empty time", hex("8001 0000") + Self.signature),
        ("half a ledger entry", hex("8001 000e 000000006553f100 00000005 02 33") + Self.signature),
        ("a time before 1970", hex("8001 000d ffffffffffffffff 00000005 02") + Self.signature),
        ("a time after 9999", hex("8001 000d 0000003afff44180 00000000 02") + Self.signature),
        ("the last time that there is", hex("8001 000d 7fffffffffffffff 00000000 02") + Self.signature),
        ("a second of nanoseconds", hex("8001 000d 000000006553f100 3b9aca00 02") + Self.signature),
        ("no level", hex("8001 000d 000000006553f100 00000005 00") + Self.signature),
        ("an unknown level", hex("8001 000d 000000006553f100 00000005 04") + Self.signature),
        ("a signature of seven bytes", Self.stored + hex("8002 0007 00010203040506")),
        ("a signature of 73 bytes", Self.stored + hex("8002 0049") + [UInt8](repeating: 1, count: 73)),
        ("a signature of 60,000 bytes", Self.stored + hex("8002 ea60") + [UInt8](repeating: 1, count: 60_000)),
    ]

    @Test("fields that make no sense make a receipt that is not signed", arguments: Self.unsigned)
    func unsignedReceipt(why: String, fields: [UInt8]) {
        let plain = Receipt(file: 7, outcome: .stored, content: FilePrefix(ofContent: [1]), path: [0x61])
        var raw = Frame.receipt(plain).raw
        raw.body += fields
        #expect(Decoded(behindPreamble: raw.bytes).events == [.frame(.receipt(plain))], "\(why)")
        raw.body = Frame.receipt(plain).raw.body + Self.stored + Self.signature
        #expect(Decoded(behindPreamble: raw.bytes).events != [.frame(.receipt(plain))])
    }

    @Test("a key of another size is no key", arguments: [0, 90, 92, 4096])
    func keySize(count: Int) {
        let plain = Welcome(version: 1, filesInFlight: 1, chunkSize: 65_536, nonce: Nonce(repeating: 1))
        var welcome = plain
        welcome.receiptKey = [UInt8](repeating: 1, count: count)
        #expect(Decoded(behindPreamble: Frame.welcome(welcome).bytes).events == [.frame(.welcome(plain))])
    }
}
