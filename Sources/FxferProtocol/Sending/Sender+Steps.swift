extension Sender {
    /// What is to be done next for a file.
    package enum Step {
        /// Nothing until the next frame from the receiver.
        case wait
        /// Nothing until the receiver judges the file: everything is sent.
        case awaitReceipt
        /// Hash the first bytes of the source and call ``prefixHashed(_:_:)``. The receiver may answer meanwhile.
        case hashPrefix(UInt64)
        /// Go back to the start of the source, then ask again.
        case restart
        /// The same, and send this before.
        case repair(Repair)
        /// Go back to this offset of the source, which was confirmed last, then ask again.
        case rewind(to: UInt64)
        /// Read and hash the source up to this offset, call ``skipped(_:to:)``, then ask again: the receiver has that.
        case skip(to: UInt64)
        /// Read and hash that much of the source, call ``chunkRead(_:at:_:)`` and send what it answers.
        case read(offset: UInt64, count: Int)
        /// Make sure that the source is what it was, call ``finish(_:)`` and send what it answers.
        case finish
        /// The file is stored; call ``close(_:)``.
        case done(Receipt)
        /// The receiver has a file of that size and time, and did not read it; call ``close(_:)``.
        case same
        /// The receiver refused; call ``cancel(_:_:)`` and send what it answers.
        case refused(FxferError)
    }

    /// The next step for an open file.
    package mutating func nextStep(of file: FileID) -> Step {
        let outgoing = self.openFile(file)
        switch outgoing.phase {
        case .offered:
            guard let announced = outgoing.announced, outgoing.hashed?.length != announced else { return .wait }
            return .hashPrefix(announced)
        case .finished:
            return .awaitReceipt
        case .comparing(let prefix):
            return .hashPrefix(prefix.length)
        case .restarting:
            self.files[file]?.phase = .sending
            return .restart
        case .repairing:
            self.files[file]?.phase = .sending
            return .repair(Repair(file: file))
        case .rewinding:
            self.files[file]?.phase = .sending
            return .rewind(to: outgoing.confirmed)
        case .sending:
            return self.nextRead(outgoing)
        case .done(let receipt):
            return .done(receipt)
        case .same:
            return .same
        case .refused(let error):
            return .refused(error)
        }
    }

    private func nextRead(_ outgoing: Outgoing) -> Step {
        guard !outgoing.isAtEnd else { return .finish }
        if let repair = outgoing.repair { return self.nextRead(outgoing, repair) }
        let unconfirmed = outgoing.sent.length - outgoing.confirmed
        let maxChunks = outgoing.size == nil ? Self.maxUnconfirmedStreamChunks : Self.maxUnconfirmedChunks
        guard unconfirmed <= (UInt64(maxChunks) - 1) * self.chunkSize else { return .wait }
        let rest = outgoing.size.map { $0 - outgoing.sent.length } ?? self.chunkSize
        return .read(offset: outgoing.sent.length, count: Int(min(rest, self.chunkSize)))
    }

    /// The source's own prefix was hashed, of the length that was asked for: its place is behind that now.
    package mutating func prefixHashed(_ file: FileID, _ prefix: FilePrefix) {
        var outgoing = self.openFile(file)
        outgoing.hashed = prefix
        Self.compare(&outgoing)
        self.files[file] = outgoing
    }

    /// Compares what the receiver has with what was hashed of the source, where both are known and of one length.
    static func compare(_ outgoing: inout Outgoing) {
        guard case .comparing(let prefix) = outgoing.phase, let hashed = outgoing.hashed,
            hashed.length == prefix.length
        else { return }
        if hashed == prefix {
            outgoing.sent = prefix
            outgoing.confirmed = prefix.length
            outgoing.isAtEnd = prefix.length == outgoing.size
            outgoing.resumedAt = outgoing.isAtEnd ? nil : prefix.length
            outgoing.phase = .sending
        } else if let decay = outgoing.decay, hashed.length == outgoing.size, hashed.digest == decay.digest {
            outgoing.repair = RepairProgress(decay, of: hashed)
            outgoing.phase = .repairing
        } else {
            outgoing.phase = .restarting
        }
    }

    /// The source was read at `offset`; `prefix` is everything up to the end of what was read. Answers the chunk to
    /// send, nil where nothing was left to read or the receiver has asked for another place meanwhile.
    package mutating func chunkRead(_ file: FileID, at offset: UInt64, _ prefix: FilePrefix) -> Chunk? {
        var outgoing = self.openFile(file)
        guard case .sending = outgoing.phase, outgoing.sent.length == offset else { return nil }
        let length = UInt32(prefix.length - offset)
        outgoing.sent = prefix
        if outgoing.repair != nil {
            outgoing.repair?.sent(to: prefix.length)
            outgoing.isAtEnd = outgoing.repair?.next(from: prefix.length) == nil
        } else {
            outgoing.isAtEnd = outgoing.size.map { $0 == prefix.length } ?? (length == 0)
        }
        self.files[file] = outgoing
        return length == 0 ? nil : Chunk(file: file, offset: offset, length: length)
    }

    /// The source ended and is what it was. Answers the FINISH to send, nil where the receiver has asked for another
    /// place meanwhile.
    package mutating func finish(_ file: FileID) -> Finish? {
        var outgoing = self.openFile(file)
        guard case .sending = outgoing.phase, outgoing.isAtEnd else { return nil }
        outgoing.phase = .finished
        outgoing.sent = outgoing.repair?.whole ?? outgoing.sent
        self.files[file] = outgoing
        return Finish(file: file, content: outgoing.sent)
    }

    func openFile(_ file: FileID) -> Outgoing {
        guard let outgoing = self.files[file] else {
            preconditionFailure("steps are asked for open files only")
        }
        return outgoing
    }
}
