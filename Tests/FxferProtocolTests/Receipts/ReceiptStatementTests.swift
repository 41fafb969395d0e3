import FxferProtocol
import Testing

@Suite("Statements of receipts")
struct ReceiptStatementTests {
    static let key = ReceiptKey(fingerprint: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", encoded: "MFkwAA==")

    static func statement(_ path: [UInt8] = Array("a/b".utf8), entry: Digest? = nil) -> ReceiptStatement {
        ReceiptStatement(
            path: path,
            content: FilePrefix(length: 3, digest: .ofNothing),
            stored: StoredEntry(
                time: FileTime(seconds: 1_700_000_000, nanoseconds: 5),
                durability: .durable,
                entry: entry
            ),
            outcome: .stored,
            key: Self.key
        )
    }

    private static func text(path: String, entry: String = "") -> String {
        #"{"format":"fxfer-receipt","version":1,"path":"\#(path)","size":3,"#
            + #""sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","#
            + #""time":"2023-11-14T22:13:20.000000005Z","durability":"durable","outcome":"stored",\#(entry)"#
            + #""server":"SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU","key":"MFkwAA=="}"# + "\n"
    }

    @Test("a statement's bytes are those of the specification")
    func exactBytes() {
        let entry = Digest.zero
        let entryText = #""entry":"0000000000000000000000000000000000000000000000000000000000000000","#
        #expect(Self.statement().bytes == Array(Self.text(path: "a/b").utf8))
        #expect(Self.statement(entry: entry).bytes == Array(Self.text(path: "a/b", entry: entryText).utf8))
    }

    static let names: [(path: [UInt8], text: String)] = [
        ([0x61, 0x20, 0x62], "a b"),
        ([0x61, 0x0A, 0x62], #"a\\x0ab"#),
        ([0xFF, 0xC3, 0xA4], #"\\xff\\xc3\\xa4"#),
        (Array(#"\x0a""#.utf8), #"\\\\x0a\""#),
        ([0, 0x7F, 0x1B], #"\\x00\\x7f\\x1b"#),
        ([], ""),
    ]

    @Test("a name is written in ASCII, whatever its bytes are, and read again", arguments: Self.names)
    func name(path: [UInt8], text: String) {
        let bytes = Self.statement(path).bytes
        #expect(bytes == Array(Self.text(path: text).utf8))
        #expect(ReceiptStatement(reading: bytes)?.path == path)
    }

    @Test("a statement that was written is read as the same", arguments: Durability.allCases, [nil, Digest.ofNothing])
    func roundTrip(level: Durability, entry: Digest?) {
        for outcome in [.stored, .identical, .replaced] as [Receipt.Outcome] {
            var statement = Self.statement(entry: entry)
            statement.outcome = outcome
            statement.stored.durability = level
            statement.content.length = .max
            #expect(ReceiptStatement(reading: statement.bytes) == statement)
        }
    }

    @Test(
        "every byte of every value there is can be in a name",
        arguments: [UInt8.min...63, 64...127, 128...191, 192...255]
    )
    func everyByte(values: ClosedRange<UInt8>) {
        let path = Array(values)
        let bytes = Self.statement(path).bytes
        #expect(bytes.allSatisfy { (0x20..<0x7F).contains($0) || $0 == 0x0A })
        #expect(bytes.count { $0 == 0x0A } == 1)
        #expect(ReceiptStatement(reading: bytes)?.path == path)
    }

    @Test("a statement in which one bit is flipped is another statement, or none")
    func flippedBit() {
        let statement = Self.statement(Array(#"a\"ä"#.utf8), entry: .ofNothing)
        let bytes = statement.bytes
        for index in bytes.indices {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[index] ^= 1 << bit
                let read = ReceiptStatement(reading: flipped)
                #expect(read != statement, "bit \(bit) of byte \(index)")
                #expect(read == nil || read?.bytes == flipped)
            }
        }
    }

    @Test("a statement that is cut, or has more, is none")
    func cut() {
        let bytes = Self.statement(entry: .zero).bytes
        for count in bytes.indices { #expect(ReceiptStatement(reading: Array(bytes.prefix(count))) == nil) }
        for more in ["\n", " ", "{}"] { #expect(ReceiptStatement(reading: bytes + Array(more.utf8)) == nil) }
        #expect(ReceiptStatement(reading: [UInt8](repeating: 0x20, count: 40_000)) == nil)
    }

    @Test(
        "what another writer would write otherwise is none",
        arguments: [
            (#""version":1"#, #""version":2"#), (#""version":1"#, #""version":01"#),
            (#""version":1"#, #""version":"1""#),
            (#""size":3"#, #""size":03"#), (#""size":3"#, #""size":3.0"#), (#""size":3"#, #""size":-3"#),
            (#""size":3"#, #""size": 3"#), (#""size":3"#, #""size":18446744073709551616"#), (#"a/b"#, #"a\/b"#),
            (#"a/b"#, #"a/\u0062"#), (#"a/b"#, #"a/\\x62"#), (#"a/b"#, #"a/\\xFF"#), (#"a/b"#, #"a/\\x6"#),
            (#"a/b"#, #"a/\\b"#), (#"a/b"#, "a/\u{E4}"), (#"a/b"#, "a/\t"), ("e3b0", "E3B0"), ("e3b0", "e3b"),
            ("2023", "1969"), ("11-14", "11-31"), ("22:13", "24:13"), ("000000005Z", "5Z"), ("005Z", "005+00:00"),
            (#""durable""#, #""sure""#), (#""stored""#, #""lost""#), (#"{"format""#, #"{ "format""#),
            (#""outcome":"stored","#, #""outcome":"stored","entry":null,"#),
            (#""outcome":"stored","#, #""outcome":"stored","entry":"00","#),
        ]
    )
    func otherForms(part: String, other: String) {
        let text = String(decoding: Self.statement().bytes, as: UTF8.self)
        #expect(text.contains(part))
        #expect(ReceiptStatement(reading: Array(text.replacing(part, with: other).utf8)) == nil)
    }
}
