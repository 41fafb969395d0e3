/// A file that is repaired: what the sender does not send comes from the decayed one.
struct Patching {
    /// What has to come out.
    let decay: Decay
    /// Where the staged file ends: further on than what is verified, when it was filled and not compared since.
    var filled: UInt64 = 0
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
            incoming.patching = Patching(decay: decay)
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
        incoming.patching?.filled = chunk.offset
        self.files[chunk.file] = .receiving(incoming)
        return .fill(chunk.file, upTo: chunk.offset)
    }

    /// The file was filled to its end: `content` is what came out.
    package mutating func filled(_ file: FileID, _ content: FilePrefix) -> FinishAction {
        guard case .receiving(var incoming) = self.files[file], let patching = incoming.patching else {
            preconditionFailure("only a file that is repaired is filled")
        }
        guard content.length == incoming.size, content.digest == patching.decay.digest else {
            if let rewind = self.rewind(file, incoming) { return .rewind(rewind) }
            let message = "'\(incoming.path)' cannot be repaired: it does not become what it was stored as"
            return .refuse(self.failed(file, FxferError(.damaged, message)))
        }
        incoming.verified = content
        self.files[file] = .committing(incoming)
        return .commit(content)
    }
}
