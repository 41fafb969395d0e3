import FxferProtocol

extension FuzzTarget {
    private static let sample = ReceiptStatement(
        path: Array("d/é\\\"".utf8),
        content: FilePrefix(ofContent: [1]),
        stored: StoredEntry(time: FileTime(seconds: 1_769_860_800, nanoseconds: 5), durability: .media, entry: .zero),
        outcome: .replaced,
        key: ReceiptKey(fingerprint: "SHA256:x", encoded: "AAAA")
    )

    private static let withoutEntry: ReceiptStatement = {
        var statement = Self.sample
        statement.stored.entry = nil
        return statement
    }()

    /// A statement is read where it is the one way to write what it says.
    ///
    /// Input: a byte that says whether a statement follows or what one is made of.
    static let receiptStatement = FuzzTarget(
        "receipt-statement",
        maxLength: 2048,
        seeds: [[0] + Self.sample.bytes, [0] + Self.withoutEntry.bytes, [1, 7] + Array(repeating: 0x41, count: 120)]
    ) { bytes in
        var input = FuzzInput(bytes)
        guard input.flag() else {
            let bytes = Array(input.rest)
            guard let statement = ReceiptStatement(reading: bytes) else { return }
            return try require(statement.bytes == bytes, "a statement can be written otherwise")
        }
        let kinds = input.byte()
        let statement = ReceiptStatement(
            path: input.bytes(Int(input.byte())),
            content: FilePrefix(length: input.integer(), digest: Digest(ofContent: input.bytes(1))),
            stored: StoredEntry(
                time: FileTime(
                    seconds: Int64(input.integer(UInt64.self) % UInt64(StoredEntry.seconds.upperBound + 1)),
                    nanoseconds: input.integer()
                ),
                durability: [.verified, .durable, .media][Int(kinds & 3) % 3],
                entry: kinds & 4 == 0 ? nil : Digest(ofContent: input.bytes(1))
            ),
            outcome: [.stored, .identical, .replaced][Int(kinds >> 3 & 3) % 3],
            key: ReceiptKey(
                fingerprint: EscapedText.ascii(input.bytes(50)),
                encoded: EscapedText.ascii(input.bytes(124))
            )
        )
        let line = statement.bytes
        try require(line.allSatisfy { $0 == 0x0A || (0x20..<0x7F).contains($0) }, "a statement is not ASCII")
        try require(line.count { $0 == 0x0A } == 1 && line.last == 0x0A, "a statement is not one line")
        try require(ReceiptStatement(reading: line) == statement, "a statement is read as another")
    }
}
