extension Sender {
    /// The receiver takes a file, perhaps from a prefix on that it holds.
    ///
    /// - Throws: `protocolViolation` where it was not asked, or the prefix is none of this file.
    package mutating func receive(_ accept: Accept) throws(FxferError) {
        guard var outgoing = try self.answered(accept.file, "ACCEPT") else { return }
        guard !outgoing.isAccepted else { throw self.unexpected("a second ACCEPT", accept.file) }
        guard accept.prefix.length <= outgoing.size ?? FileAttributes.maxSize,
            accept.prefix.length > 0 || accept.prefix == .empty
        else { throw self.unexpected("ACCEPT of an impossible prefix", accept.file) }
        outgoing.isAccepted = true
        if case .offered = outgoing.phase {
            outgoing.phase = accept.prefix == .empty ? .sending : .comparing(accept.prefix)
        } else if accept.prefix != .empty {
            throw self.unexpected("ACCEPT of a prefix", accept.file)
        }
        self.files[accept.file] = outgoing
    }

    /// The receiver has verified everything before an offset.
    ///
    /// - Throws: `protocolViolation` where the offset does not grow or was not sent yet.
    package mutating func receive(confirm: FilePosition) throws(FxferError) {
        guard var outgoing = try self.answered(confirm.file, "CONFIRM") else { return }
        guard outgoing.isAccepted, confirm.offset > outgoing.confirmed, confirm.offset <= outgoing.sent.length,
            self.isChunkEnd(confirm.offset, of: outgoing)
        else { throw self.unexpected("CONFIRM of \(confirm.offset)", confirm.file) }
        outgoing.confirmed = confirm.offset
        outgoing.rewindsInPlace = 0
        self.files[confirm.file] = outgoing
    }

    /// The receiver found damage and wants everything from an offset on again.
    ///
    /// Where it asks too often the file is given up, as if it had been refused.
    ///
    /// - Throws: `protocolViolation` where the offset is not the one that was confirmed last or nothing was sent behind
    ///   it.
    package mutating func receive(rewind: FilePosition) throws(FxferError) {
        guard var outgoing = try self.answered(rewind.file, "REWIND") else { return }
        switch outgoing.phase {
        case .sending, .finished: break
        default: throw self.unexpected("REWIND", rewind.file)
        }
        guard outgoing.isAccepted, rewind.offset == outgoing.confirmed, rewind.offset < outgoing.sent.length else {
            throw self.unexpected("REWIND to \(rewind.offset)", rewind.file)
        }
        outgoing.rewinds += 1
        outgoing.rewindsInPlace += 1
        guard outgoing.rewindsInPlace <= Self.maxRewindsInPlace else {
            let name = EscapedText.escape(outgoing.path)
            outgoing.phase = .refused(FxferError(.damaged, "'\(name)' arrives damaged again and again"))
            self.files[rewind.file] = outgoing
            self.cancelled.insert(rewind.file)
            return
        }
        outgoing.phase = .rewinding
        outgoing.isAtEnd = false
        // The digest up to the confirmed offset is not needed: the next chunk brings the one behind it.
        outgoing.sent.length = outgoing.confirmed
        self.files[rewind.file] = outgoing
    }

    /// The receiver does not take a file, or cannot go on with it.
    ///
    /// - Throws: `protocolViolation` where the file is not open.
    package mutating func receive(refuse: FileFailure) throws(FxferError) {
        guard var outgoing = try self.answered(refuse.file, "REFUSE") else { return }
        outgoing.phase = .refused(refuse.error)
        self.files[refuse.file] = outgoing
    }

    /// The receiver says that a file is stored.
    ///
    /// - Throws: `protocolViolation` where the file was not finished, `damaged` where size, digest or name are not what
    ///   was sent.
    package mutating func receive(_ receipt: Receipt) throws(FxferError) {
        guard var outgoing = try self.answered(receipt.file, "RECEIPT"), case .finished = outgoing.phase,
            outgoing.isAccepted
        else {
            throw self.unexpected("RECEIPT", receipt.file)
        }
        guard receipt.content == outgoing.sent, receipt.path == outgoing.path else {
            let name = EscapedText.escape(outgoing.path)
            throw FxferError(.damaged, "the receipt for '\(name)' does not name what was sent")
        }
        outgoing.confirmed = outgoing.sent.length
        outgoing.phase = .done(receipt)
        self.files[receipt.file] = outgoing
    }

    /// An open file that waits for answers; nil for one that was given up when the receiver could not know it yet.
    private func answered(_ file: FileID, _ frame: String) throws(FxferError) -> Outgoing? {
        guard !self.cancelled.contains(file) else { return nil }
        guard let outgoing = self.files[file] else { throw self.unexpected(frame, file) }
        switch outgoing.phase {
        case .done, .refused: throw self.unexpected(frame, file)
        default: return outgoing
        }
    }

    /// Chunks are whole but for the last, and a resumed file begins at a chunk's end.
    private func isChunkEnd(_ offset: UInt64, of outgoing: Outgoing) -> Bool {
        offset == outgoing.sent.length || (offset - outgoing.confirmed).isMultiple(of: self.chunkSize)
    }

    private func unexpected(_ what: String, _ file: FileID) -> FxferError {
        FxferError(.protocolViolation, "the receiver sent \(what) for file \(file), which is out of order")
    }
}
