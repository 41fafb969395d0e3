@testable import FxferProtocol

extension FuzzTarget {
    /// Whatever a receiver answers: the sender reads within its sources and only at places that they remember, has no more
    /// under way than it may, does not go on for ever, and believes no receipt but one for what it sent.
    ///
    /// Input: the files, then what is answered and done, a byte for its kind and some for its values.
    static let sender = FuzzTarget(
        "sender",
        maxLength: 512,
        seeds: [
            [2, 0, 20, 0, 1, 44, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8], Array(repeating: 0, count: 40),
            (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37) },
        ]
    ) { bytes in
        var input = FuzzInput(bytes)
        var side = SendingSide(SendingSide.sources(&input), filesInFlight: UInt16(1 + input.choice(4)))
        do {
            while !input.isEmpty {
                switch input.choice(6) {
                case 0: _ = try side.offer()
                case 1...2: if let file = side.anyFile(&input) { try Self.advance(&side, file) }
                case 3: if let file = side.anyFile(&input), input.choice(8) == 7 { side.cancel(file) }
                default: try side.receive(Self.answer(&input, side))
                }
                side.output = []
            }
        } catch let error as FxferError {
            let codes: [FxferError.Code] = [.protocolViolation, .damaged]
            try require(codes.contains(error.code), "a broken rule is called \(error.code)")
            try requireHarmless(error.message, "the reason")
        }
    }

    /// Does what can be done for a file without a further answer.
    private static func advance(_ side: inout SendingSide, _ file: FileID) throws(BrokenRule) {
        // Two steps for each of 64 chunks, and some for where it begins and ends.
        for _ in 0..<200 where try !side.step(file) { return }
        throw BrokenRule(description: "a file goes on for ever")
    }

    private static func answer(_ input: inout FuzzInput, _ side: SendingSide) -> Frame {
        let file = side.anyFile(&input) ?? FileID(input.choice(4))
        let outgoing = side.sender.files[file]
        let source = side.sources.first { $0.path == outgoing?.path }
        let content = source?.content ?? []
        let sent = outgoing?.sent.length ?? 0
        switch input.choice(12) {
        case 0...2:
            let length = input.number(near: input.flag() ? 0 : UInt64(content.count))
            let isTrue = input.choice(4) < 3 && length <= content.count
            var prefix = FilePrefix(length: length, digest: .zero)
            if isTrue { prefix.digest = Digest(ofContent: Array(content.prefix(Int(length)))) }
            return .accept(Accept(file: file, prefix: prefix, decay: Self.decay(content, &input)))
        case 3...4:
            let isNext = input.flag()
            let next = min((outgoing?.confirmed ?? 0) + UInt64(SendingSide.chunkSize), sent)
            return .confirm(FilePosition(file: file, offset: input.number(near: isNext ? next : sent)))
        case 5...6:
            return .rewind(FilePosition(file: file, offset: input.number(near: outgoing?.confirmed ?? 0)))
        case 7: return .refuse(FileFailure(file: file, FxferError(.io, "\u{9B}")))
        case 8...9:
            let isTrue = input.choice(4) < 3
            let suffix = input.element(of: ["", "", ".1", ".1234", "/x", ".-1"])
            let path = (outgoing?.path ?? []) + Array(suffix.utf8)
            let stored = isTrue ? outgoing?.sent ?? .empty : FilePrefix(ofContent: Array(content.dropLast()))
            return .receipt(Receipt(file: file, outcome: .stored, content: stored, path: path))
        case 10: return .same(Same(file: file))
        default: return .reading(Reading(file: file, length: input.number(near: UInt64(content.count))))
        }
    }

    private static func decay(_ content: [UInt8], _ input: inout FuzzInput) -> Decay? {
        guard input.choice(3) > 0 else { return nil }
        let ranges = (0..<1 + input.choice(3)).map { _ in
            let start = input.number(near: UInt64(input.choice(64)))
            return start..<max(start, start &+ UInt64(input.choice(32)))
        }
        return Decay(digest: input.choice(8) == 7 ? .zero : Digest(ofContent: content), ranges: ranges)
    }
}

extension SendingSide {
    func anyFile(_ input: inout FuzzInput) -> FileID? {
        let open = self.openFiles
        return open.isEmpty ? nil : input.element(of: open)
    }

    /// One to four files, some of them streams, one a folder.
    static func sources(_ input: inout FuzzInput) -> [Source] {
        (0..<1 + input.choice(4)).map { index in
            let kind = input.byte()
            let path = MemoryStore.names[index]
            let count = kind & 1 == 0 ? input.choice(48) : 4 * input.choice(100)
            let content = MemoryStore.content(path, count, variant: kind & 2 == 0 ? 0 : 1)
            let isStream = kind & 12 == 12
            if kind & 0xF0 == 0xF0 {
                return Source(path: path, content: [], attributes: FileAttributes(isFolder: true))
            }
            var source = Source(path: path, content: content, attributes: FileAttributes(size: UInt64(count)))
            if isStream { source.attributes.size = nil }
            if kind & 48 == 16 { source.comparison = .byDigest }
            if kind & 48 == 32, !isStream { source.comparison = .bySizeAndTime }
            return source
        }
    }
}
