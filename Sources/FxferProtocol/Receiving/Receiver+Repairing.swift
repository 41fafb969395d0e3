/// A file that is repaired: what the sender does not send comes from the decayed one.
struct Patching {
    /// What has to come out.
    let decay: Decay
    /// Where the staged file ends: further on than what is verified, when it was filled and not compared since.
    var filled: UInt64 = 0
    /// How many bytes were taken from the decayed file, those included that were taken back.
    private var taken: UInt64 = 0

    init(_ decay: Decay) {
        self.decay = decay
    }

    /// Takes note that the file of `size` bytes is filled up to `end`. False where that was done too often: a sender that
    /// does not have what it says could make a receiver copy for ever.
    mutating func fill(upTo end: UInt64, of size: UInt64) -> Bool {
        self.taken += end - self.filled
        self.filled = end
        return self.taken <= size * UInt64(Receiver.maxRewindsInPlace + 1)
    }
}

extension Receiver.Incoming {
    /// Where the next chunk goes.
    var end: UInt64 { self.patching?.filled ?? self.verified.length }
}

extension Receiver {
    /// What REPAIR asks for.
    package enum RepairAction {
        /// Stage the file anew, from offset 0 on; see ``ChunkAction/fill(_:upTo:)``. Call ``failed(_:_:)`` if that fails.
        case stage
        /// Nothing: the file was refused, and the sender did not know it yet.
        case discard
    }

    /// The sender has what a decayed file was stored with, and sends what is damaged.
    ///
    /// - Throws: `protocolViolation` where that was not offered.
    package mutating func receive(_ repair: Repair) throws(FxferError) -> RepairAction {
        switch try self.state(of: repair.file) {
        case .matching(let matching):
            guard let decay = matching.decay else { throw self.outOfOrder("REPAIR", repair.file) }
            var incoming = Incoming(path: matching.incoming.path, size: matching.incoming.size)
            incoming.patching = Patching(decay)
            self.files[repair.file] = .receiving(incoming)
            return .stage
        case .refused:
            return .discard
        case .staging, .abandoned, .receiving, .rewinding, .committing:
            throw self.outOfOrder("REPAIR", repair.file)
        }
    }

    /// A chunk comes behind a gap.
    mutating func fill(before chunk: Chunk, of incoming: Incoming) throws(FxferError) -> ChunkAction {
        var incoming = incoming
        try self.keep(chunk, of: incoming)
        guard incoming.patching?.fill(upTo: chunk.offset, of: incoming.size ?? 0) ?? false else {
            return .refuse(self.failed(chunk.file, Self.cannotBeRepaired(incoming.path)))
        }
        self.files[chunk.file] = .receiving(incoming)
        return .fill(chunk.file, upTo: chunk.offset)
    }

    /// FINISH comes before the end: what is missing is not damaged.
    mutating func fillToEnd(_ file: FileID, _ incoming: Incoming) -> FinishAction {
        var incoming = incoming
        let end = incoming.size ?? 0
        guard incoming.patching?.fill(upTo: end, of: end) ?? false else {
            return .refuse(self.failed(file, Self.cannotBeRepaired(incoming.path)))
        }
        self.files[file] = .receiving(incoming)
        return .fill(upTo: end)
    }

    /// What has decayed is not made right by who has the same damage.
    package static func decayedError(_ path: RelativePath) -> FxferError {
        FxferError(
            .exists,
            "'\(path)' was stored with other content and has decayed to this; send what was stored to repair it"
        )
    }

    private static func cannotBeRepaired(_ path: RelativePath) -> FxferError {
        FxferError(.damaged, "'\(path)' cannot be repaired: again and again it does not become what it was stored as")
    }

    /// The file was filled to its end: `content` is what came out.
    package mutating func filled(_ file: FileID, _ content: FilePrefix) -> FinishAction {
        guard case .receiving(var incoming) = self.files[file], let patching = incoming.patching else {
            preconditionFailure("only a file that is repaired is filled")
        }
        guard content.length == incoming.size, content.digest == patching.decay.digest else {
            if let rewind = self.rewind(file, incoming) { return .rewind(rewind) }
            return .refuse(self.failed(file, Self.cannotBeRepaired(incoming.path)))
        }
        incoming.verified = content
        self.files[file] = .committing(incoming)
        return .commit(content)
    }
}
