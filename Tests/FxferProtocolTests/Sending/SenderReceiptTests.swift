import FxferProtocol
import Testing

@Suite("Signed receipts that a sender gets")
struct SenderReceiptTests {
    private static let attestation = ReceiptAttestation(
        stored: StoredEntry(time: FileTime(seconds: 1, nanoseconds: 2), durability: .durable),
        signature: Array(0..<8)
    )

    /// A sender that has sent a file, or a folder.
    private static func sent(wantsReceipts: Bool, isFolder: Bool = false) throws -> SenderScript {
        var script = SenderScript()
        script.sender = Sender(chunkSize: 10, filesInFlight: 4, wantsReceipts: wantsReceipts)
        _ = script.sender.offer(try RelativePath(bytes: [0x61]), FileAttributes(size: 0, isFolder: isFolder))
        try script.accept(1)
        _ = script.advance(sourceSize: 0)
        return script
    }

    private static func receipt(_ attestation: ReceiptAttestation?, path: String = "a") -> Receipt {
        Receipt(file: 1, outcome: .stored, content: .empty, path: Array(path.utf8), attestation: attestation)
    }

    @Test("a signed receipt is taken, whether it was agreed on or not", arguments: [false, true])
    func signed(wantsReceipts: Bool) throws {
        var script = try Self.sent(wantsReceipts: wantsReceipts)
        try script.sender.receive(Self.receipt(Self.attestation))
        #expect(script.next() == .done)
    }

    @Test("a receipt without the signature that was agreed on does not count")
    func unsigned() throws {
        var script = try Self.sent(wantsReceipts: true)
        let error = #expect(throws: FxferError.self) { try script.sender.receive(Self.receipt(nil)) }
        #expect(error?.code == .damaged)
        #expect(script.next() == .awaitReceipt)
    }

    @Test("a signature does not make up for another name")
    func otherName() throws {
        var script = try Self.sent(wantsReceipts: true)
        let error = #expect(throws: FxferError.self) {
            try script.sender.receive(Self.receipt(Self.attestation, path: "b"))
        }
        #expect(error?.code == .damaged)
        #expect(script.next() == .awaitReceipt)
    }

    @Test("the receipt of a folder need not be signed")
    func folder() throws {
        var script = try Self.sent(wantsReceipts: true, isFolder: true)
        try script.sender.receive(Self.receipt(nil))
        #expect(script.next() == .done)
    }
}
