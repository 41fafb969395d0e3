@testable import FxferProtocol

extension FuzzTarget {
    /// Whatever a sender says, in whatever order, and whenever the store answers: only what was compared is published,
    /// under names that were offered, and a sender that breaks the rules is told so.
    ///
    /// Input: the store, then what is said and done, a byte for its kind and some for its values.
    static let receiver = FuzzTarget(
        "receiver",
        maxLength: 512,
        seeds: [
            [0, 0, 0, 4, 0, 0, 0, 0, 9, 2, 0, 0, 0, 4, 7, 0, 0, 10, 0, 10, 0], [1, 3, 20, 1, 2, 3, 4, 5, 6, 7, 8],
            Array(repeating: 0, count: 40), (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37) },
        ]
    ) { bytes in
        let dice = Dice(bytes)
        let before = MemoryStore.sample(&dice.input)
        var side = ReceivingSide(before, filesInFlight: UInt16(1 + dice.input.choice(4)))
        side.mayFail = { dice.input.choice(24) == 23 }
        var sender = AnySender()
        do {
            while !dice.input.isEmpty {
                guard dice.input.choice(6) > 0 else {
                    try side.work(dice.input.choice(8))
                    continue
                }
                for item in sender.next(&dice.input, side) { try side.receive(item) }
            }
        } catch let error as FxferError {
            let codes: [FxferError.Code] = [.protocolViolation, .limitExceeded]
            try require(codes.contains(error.code), "a broken rule is called \(error.code)")
            try requireHarmless(error.message, "the reason")
            side.disconnect()
        }
        while side.workCount > 0 { try side.work(0) }
        try side.store.checkNothingElse(since: before)
    }
}

/// A sender that may say anything, and often says what makes sense.
private struct AnySender {
    private var lastFile: FileID = 0

    mutating func next(_ input: inout FuzzInput, _ side: ReceivingSide) -> [WireItem] {
        let open = side.files.keys.sorted()
        let file = open.isEmpty || input.choice(8) == 7 ? FileID(input.choice(6)) : input.element(of: open)
        let staged = side.files[file]?.content ?? []
        switch input.choice(12) {
        case 0...1: return [.frame(.offer(self.offer(&input)))]
        case 2...6: return Self.chunk(file, staged, side.files[file], &input)
        case 7...8: return [.frame(.finish(Finish(file: file, content: Self.end(staged, side.files[file], &input))))]
        case 9: return [.frame(.repair(Repair(file: file)))]
        case 10: return [.frame(.cancel(FileFailure(file: file, FxferError(.cancelled, "stopped"))))]
        default:
            let others = [Frame.alive, .same(Same(file: file)), .accept(Accept(file: file, prefix: .empty))]
            return [.frame(input.element(of: others))]
        }
    }

    private mutating func offer(_ input: inout FuzzInput) -> Offer {
        self.lastFile = input.choice(16) == 15 ? FileID(input.choice(4)) : self.lastFile &+ 1
        let bad = ["", "..", ".fxfer/x", "a//b", "a\n"].map { Array($0.utf8) }
        let path = input.choice(16) == 15 ? input.element(of: bad) : input.element(of: MemoryStore.names)
        let size: UInt64? = input.choice(4) == 3 ? nil : UInt64(input.choice(48))
        let comparison = input.element(of: [Comparison.afterwards, .byDigest, .bySizeAndTime])
        return Offer(
            file: self.lastFile,
            path: path,
            attributes: FileAttributes(size: size, isFolder: input.choice(16) == 15),
            comparison: size == nil && comparison == .bySizeAndTime ? .byDigest : comparison
        )
    }

    private static func chunk(
        _ file: FileID,
        _ staged: [UInt8],
        _ known: ReceivingSide.File?,
        _ input: inout FuzzInput
    ) -> [WireItem] {
        let offset = input.number(near: UInt64(staged.count))
        let length = 1 + input.choice(input.choice(16) == 15 ? 8 : 4)
        // What is in the store is what is sent most of the time, so that what has decayed can become right again.
        let content = MemoryStore.content(known?.offer.path ?? [], 64, variant: input.choice(8) == 7 ? 1 : 0)
        let payload = (0..<length).map { content[Int((offset &+ UInt64($0)) % 64)] }
        let base = known?.isRepair == true ? known?.existing?.content ?? [] : []
        let gap = base.dropFirst(staged.count).prefix(max(0, Int(clamping: offset) - staged.count))
        let before = staged + gap
        let isDamaged = input.choice(8) == 7
        let digest = isDamaged ? Digest.zero : Digest(ofContent: (offset == 0 ? [] : before) + payload)
        let cut = input.choice(length)
        return [.frame(.chunk(Chunk(file: file, offset: min(offset, FileAttributes.maxSize), length: UInt32(length))))]
            + [payload.prefix(cut), payload.dropFirst(cut)].filter { !$0.isEmpty }.map { .payload(Array($0)) }
            + [.digest(digest)]
    }

    private static func end(
        _ staged: [UInt8],
        _ known: ReceivingSide.File?,
        _ input: inout FuzzInput
    ) -> FilePrefix {
        let content =
            switch input.choice(4) {
            case 0...1: known?.existing?.original ?? known?.existing?.content ?? staged
            case 2: staged
            default: known?.existing?.content ?? []
            }
        var prefix = FilePrefix(ofContent: content)
        if input.choice(8) == 7 { prefix.length = input.number(near: prefix.length) }
        if input.choice(8) == 7 { prefix.digest = .zero }
        return prefix
    }
}
