import NIOCore

extension Receiver {
    /// What the announcement of a chunk asks for.
    package enum ChunkAction {
        /// Go on; the payload follows.
        case proceed
        /// The sender has other content than what was held: begin this file anew; its payload follows.
        case restart(FileID)
        /// Take this file up to this offset from the one that is repaired; call ``failed(_:_:)`` if that fails. The
        /// payload follows.
        case fill(FileID, upTo: UInt64)
        /// The store has another file of that name: discard what is held and send this REFUSE.
        case refuse(FileFailure)
    }

    /// What a piece of payload asks for.
    package enum PayloadAction {
        /// Hash and write it to this file; call ``failed(_:_:)`` if that fails.
        case append(FileID)
        /// Forget it.
        case discard
    }

    /// What the end of a payload asks for.
    package enum PayloadEndAction {
        /// Call ``verified(_:claimed:)`` with the running digest of this file.
        case verify(FileID)
        /// Nothing.
        case discard
    }

    /// What a comparison leads to.
    package enum VerifiedAction {
        /// Keep what was written and send this CONFIRM.
        case keep(Frame)
        /// Go back to what was kept last and send this REWIND.
        case rewind(Frame)
        /// The place is damaged again and again: discard the file and send this REFUSE.
        case refuse(FileFailure)
    }

    /// A chunk is announced.
    ///
    /// - Throws: `protocolViolation` where the file is not open, the offset is not the verified one or the end is
    ///   behind the offered size; `limitExceeded` where the chunk is longer than agreed.
    package mutating func receive(_ chunk: Chunk) throws(FxferError) -> ChunkAction {
        guard chunk.length <= self.chunkSize else {
            throw FxferError(.limitExceeded, "a chunk of \(chunk.length) bytes, agreed are \(self.chunkSize)")
        }
        switch try self.state(of: chunk.file) {
        case .receiving(var incoming):
            if chunk.offset == 0, incoming.mayRestart {
                return try self.restart(chunk, of: incoming)
            }
            if incoming.patching != nil, chunk.offset > incoming.end {
                return try self.fill(before: chunk, of: incoming)
            }
            guard chunk.offset == incoming.end else {
                throw self.misplaced(chunk, incoming)
            }
            incoming.mayRestart = false
            self.files[chunk.file] = .receiving(incoming)
            try self.keep(chunk, of: incoming)
        case .rewinding(let incoming) where chunk.offset == incoming.verified.length:
            try self.keep(chunk, of: incoming)
            self.files[chunk.file] = .receiving(incoming)
        case .rewinding(let incoming):
            guard chunk.offset > incoming.verified.length else {
                throw self.misplaced(chunk, incoming)
            }
            self.currentChunk = .discarded
        case .matching(let matching):
            let incoming = matching.incoming
            guard chunk.offset == 0 else { throw self.misplaced(chunk, incoming) }
            if matching.canRestart { return try self.restart(chunk, of: incoming) }
            self.currentChunk = .discarded
            return .refuse(self.failed(chunk.file, Self.existsError(incoming.path)))
        case .refused:
            self.currentChunk = .discarded
        case .staging, .abandoned, .committing:
            throw self.outOfOrder("CHUNK", chunk.file)
        }
        return .proceed
    }

    /// Payload of the announced chunk arrives.
    package func receivePayload() -> PayloadAction {
        switch self.currentChunk {
        case .kept(let chunk): .append(chunk.file)
        case .discarded: .discard
        case .none: preconditionFailure("the decoder announces a chunk before its payload")
        }
    }

    /// The payload of the announced chunk is complete.
    package mutating func receivePayloadEnd() -> PayloadEndAction {
        switch self.currentChunk {
        case .kept(let chunk):
            return .verify(chunk.file)
        case .discarded:
            self.currentChunk = .none
            return .discard
        case .none:
            preconditionFailure("the decoder announces a chunk before its payload")
        }
    }

    /// The chunk whose payload just ended was compared: `digest` is what this side computed, `claimed` what came.
    package mutating func verified(_ digest: Digest, claimed: Digest) -> VerifiedAction {
        guard case .kept(let chunk) = self.currentChunk, case .receiving(var incoming) = self.files[chunk.file] else {
            preconditionFailure("only a chunk that was kept is compared")
        }
        self.currentChunk = .none
        if digest == claimed {
            incoming.verified = FilePrefix(length: chunk.end, digest: digest)
            incoming.rewindsInPlace = 0
            incoming.patching?.filled = chunk.end
            self.files[chunk.file] = .receiving(incoming)
            return .keep(.confirm(FilePosition(file: chunk.file, offset: chunk.end)))
        }
        if let rewind = self.rewind(chunk.file, incoming) { return .rewind(rewind) }
        let message = "'\(incoming.path)' arrives damaged again and again at byte \(chunk.offset)"
        return .refuse(self.failed(chunk.file, FxferError(.damaged, message)))
    }

    /// Back to what is verified: answers the frame to send; nil where that was done too often.
    mutating func rewind(_ file: FileID, _ incoming: Incoming) -> Frame? {
        var incoming = incoming
        incoming.rewindsInPlace += 1
        incoming.patching?.filled = incoming.verified.length
        guard incoming.rewindsInPlace <= Self.maxRewindsInPlace else { return nil }
        self.files[file] = .rewinding(incoming)
        return .rewind(FilePosition(file: file, offset: incoming.verified.length))
    }

    static func existsError(_ path: RelativePath) -> FxferError {
        FxferError(.exists, "'\(path)' exists with other content and is left as it is")
    }

    private mutating func restart(_ chunk: Chunk, of incoming: Incoming) throws(FxferError) -> ChunkAction {
        let anew = Incoming(path: incoming.path, size: incoming.size)
        self.files[chunk.file] = .receiving(anew)
        try self.keep(chunk, of: anew)
        return .restart(chunk.file)
    }

    mutating func keep(_ chunk: Chunk, of incoming: Incoming) throws(FxferError) {
        let size = incoming.size ?? FileAttributes.maxSize
        guard chunk.offset <= size, UInt64(chunk.length) <= size - chunk.offset else {
            throw FxferError(.protocolViolation, "more bytes for '\(incoming.path)' than were announced")
        }
        self.currentChunk = .kept(chunk)
    }

    private func misplaced(_ chunk: Chunk, _ incoming: Incoming) -> FxferError {
        let place = "at \(chunk.offset) for '\(incoming.path)', expected at \(incoming.end)"
        return FxferError(.protocolViolation, "a chunk \(place)")
    }
}
