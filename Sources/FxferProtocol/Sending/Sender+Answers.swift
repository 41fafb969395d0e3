extension Sender {
    /// The receiver takes a file, perhaps from a prefix on that it holds.
    ///
    /// - Throws: `protocolViolation` where it was not asked, or the prefix is none of this file.
    package mutating func receive(_ accept: Accept) throws(FxferError) {
        guard var outgoing = try self.answered(accept.file, "ACCEPT") else { return }
        guard !outgoing.isAccepted else { throw self.unexpected("a second ACCEPT", accept.file) }
        guard accept.prefix.length <= outgoing.size ?? 0,
            accept.prefix.length > 0 || accept.prefix == .empty
        else { throw self.unexpected("ACCEPT of an impossible prefix", accept.file) }
        if let decay = accept.decay {
            guard accept.prefix.length == outgoing.size,
                decay.ranges.allSatisfy({ $0.upperBound <= accept.prefix.length })
            else { throw self.unexpected("ACCEPT of an impossible decay", accept.file) }
        }
        outgoing.isAccepted = true
        outgoing.decay = accept.decay
        if case .offered = outgoing.phase {
            let beginning: Phase = outgoing.announced == nil ? .sending : .restarting
            outgoing.phase = accept.prefix == .empty ? beginning : .comparing(accept.prefix)
            Self.compare(&outgoing)
        } else if accept.prefix != .empty {
            throw self.unexpected("ACCEPT of a prefix", accept.file)
        }
        self.files[accept.file] = outgoing
    }

    /// The receiver reads what it has of a file; nothing has to come of it.
    ///
    /// - Throws: `protocolViolation` where the file is not open, or has fewer bytes.
    package mutating func receive(_ reading: Reading) throws(FxferError) {
        guard var outgoing = try self.answered(reading.file, "READING") else { return }
        guard reading.length <= outgoing.size ?? 0 else { throw self.unexpected("READING", reading.file) }
        guard case .offered = outgoing.phase, outgoing.announced == nil, reading.length > 0 else { return }
        outgoing.announced = reading.length
        self.files[reading.file] = outgoing
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
        outgoing.repair?.confirm()
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
        guard outgoing.isAccepted, rewind.offset == outgoing.confirmed, rewind.offset < outgoing.sent.length,
            outgoing.hasUnconfirmed
        else { throw self.unexpected("REWIND to \(rewind.offset)", rewind.file) }
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
        outgoing.repair?.rewind(to: outgoing.confirmed, of: outgoing.size ?? 0)
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

    /// The receiver has a file of the offered size and time.
    ///
    /// - Throws: `protocolViolation` where that was not asked.
    package mutating func receive(_ same: Same) throws(FxferError) {
        guard var outgoing = try self.answered(same.file, "SAME") else { return }
        guard case .offered = outgoing.phase, outgoing.comparison == .bySizeAndTime else {
            throw self.unexpected("SAME", same.file)
        }
        outgoing.phase = .same
        self.files[same.file] = outgoing
    }

    /// The receiver says that a file is stored.
    ///
    /// Whether a signature is right is for the owner to find out, before it hands the receipt over.
    ///
    /// - Throws: `protocolViolation` where the file was not finished, `damaged` where size, digest or name are not what
    ///   was sent, the file is less durable than it has to be, or a signature was agreed on and is missing.
    package mutating func receive(_ receipt: Receipt) throws(FxferError) {
        guard var outgoing = try self.answered(receipt.file, "RECEIPT"), case .finished = outgoing.phase,
            outgoing.isAccepted
        else {
            throw self.unexpected("RECEIPT", receipt.file)
        }
        guard receipt.content == outgoing.sent, Self.isName(receipt.path, besides: outgoing.path) else {
            let name = EscapedText.escape(outgoing.path)
            throw FxferError(.damaged, "the receipt for '\(name)' does not name what was sent")
        }
        guard !self.wantsReceipts || outgoing.isFolder || receipt.attestation != nil else {
            let name = EscapedText.escape(outgoing.path)
            throw FxferError(.damaged, "the receipt for '\(name)' is not signed, against what the server promised")
        }
        guard min(receipt.level, receipt.attestation?.stored.durability ?? receipt.level) >= outgoing.level else {
            let name = EscapedText.escape(outgoing.path)
            throw FxferError(
                .damaged,
                "the receipt for '\(name)' says '\(receipt.level.name)', less than the '\(outgoing.level.name)' that is required"
            )
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
        case .done, .same, .refused: throw self.unexpected(frame, file)
        default: return outgoing
        }
    }

    /// Whether `path` is the one that was offered, or that with a full stop and a number behind it: where a receiver
    /// keeps both files, it stores the new one under such a name.
    private static func isName(_ path: [UInt8], besides offered: [UInt8]) -> Bool {
        guard path != offered else { return true }
        let suffix = path.dropFirst(offered.count)
        let digits = suffix.dropFirst()
        return path.starts(with: offered) && suffix.first == UInt8(ascii: ".") && (1...3).contains(digits.count)
            && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// Chunks are whole but for the last, and a resumed file begins at a chunk's end.
    private func isChunkEnd(_ offset: UInt64, of outgoing: Outgoing) -> Bool {
        if let repair = outgoing.repair { return offset == repair.nextToConfirm }
        return offset == outgoing.sent.length || (offset - outgoing.confirmed).isMultiple(of: self.chunkSize)
    }

    private func unexpected(_ what: String, _ file: FileID) -> FxferError {
        FxferError(.protocolViolation, "the receiver sent \(what) for file \(file), which is out of order")
    }
}
