import FxferProtocol
import Testing

@Suite("Levels of durability that a sender requires")
struct SenderLevelTests {
    /// A sender that has sent a file, or a folder.
    private static func sent(_ level: Durability, isFolder: Bool = false) throws -> (SenderScript, Offer) {
        var script = SenderScript()
        script.sender = Sender(chunkSize: 10, filesInFlight: 4, level: level)
        let offer = script.sender.offer(
            try RelativePath(bytes: [0x61]),
            FileAttributes(size: 0, isFolder: isFolder)
        )
        try script.accept(1)
        _ = script.advance(sourceSize: 0)
        return (script, offer)
    }

    private static func receipt(_ level: Durability, signed: Durability? = nil) -> Receipt {
        let attestation = signed.map { signed in
            ReceiptAttestation(
                stored: StoredEntry(time: FileTime(seconds: 1, nanoseconds: 2), durability: signed),
                signature: Array(0..<8)
            )
        }
        return Receipt(
            file: 1,
            outcome: .stored,
            content: .empty,
            path: [0x61],
            level: level,
            attestation: attestation
        )
    }

    @Test("a receipt counts where its level is the required one or higher", arguments: Durability.allCases)
    func levels(required: Durability) throws {
        for reached in Durability.allCases {
            var (script, offer) = try Self.sent(required)
            #expect(offer.level == required)
            guard reached < required else {
                try script.sender.receive(Self.receipt(reached))
                #expect(script.next() == .done)
                continue
            }
            let error = #expect(throws: FxferError.self) { try script.sender.receive(Self.receipt(reached)) }
            #expect(error?.code == .damaged)
            #expect(script.next() == .awaitReceipt)
        }
    }

    @Test("the level that is signed has to be reached, too", arguments: [Durability.verified, .durable])
    func signed(level: Durability) throws {
        var (script, _) = try Self.sent(.media)
        let error = #expect(throws: FxferError.self) {
            try script.sender.receive(Self.receipt(.media, signed: level))
        }
        #expect(error?.code == .damaged)
        try script.sender.receive(Self.receipt(.media, signed: .media))
        #expect(script.next() == .done)
    }

    @Test("a folder is durable at the most", arguments: Durability.allCases)
    func folder(level: Durability) throws {
        var (script, offer) = try Self.sent(level, isFolder: true)
        #expect(offer.level == min(level, .durable))
        try script.sender.receive(Self.receipt(min(level, .durable)))
        #expect(script.next() == .done)
    }
}
