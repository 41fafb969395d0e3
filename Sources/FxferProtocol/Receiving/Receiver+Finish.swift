extension Receiver {
    /// What FINISH asks for.
    package enum FinishAction {
        /// Make the staged file, or the existing one, durable under its name; then call ``committed(_:_:)`` or
        /// ``failed(_:_:)``. The content is what was verified.
        case commit(FilePrefix)
        /// Discard what is held and send this REFUSE.
        case refuse(FileFailure)
        /// Nothing: the sender was told to go back or to stop, and did not know it yet.
        case discard
        /// Take the rest of the file, up to this offset, from the one that is repaired, and call ``filled(_:_:)``, or
        /// ``failed(_:_:)``.
        case fill(upTo: UInt64)
        /// Go back to what was kept last and send this REWIND.
        case rewind(Frame)
    }

    /// What CANCEL asks for.
    package enum CancelAction {
        /// The sender gives the file up, with this error: discard what is held.
        case discard(FxferError)
        /// Nothing: the file was refused before, or the store has not answered yet.
        case forget
    }

    /// The sender has sent everything.
    ///
    /// - Throws: `protocolViolation` where the file is not open or FINISH is out of order.
    package mutating func receive(_ finish: Finish) throws(FxferError) -> FinishAction {
        switch try self.state(of: finish.file) {
        case .receiving(let incoming):
            guard incoming.size == nil || incoming.size == finish.content.length else {
                let message = "'\(incoming.path)' ended after \(finish.content.length) bytes, not as announced"
                return .refuse(self.failed(finish.file, FxferError(.damaged, message)))
            }
            if let patching = incoming.patching {
                guard finish.content.digest == patching.decay.digest else { return self.isOther(finish.file, incoming) }
                if incoming.end < finish.content.length { return self.fillToEnd(finish.file, incoming) }
            }
            guard finish.content == incoming.verified else { return self.isOther(finish.file, incoming) }
            self.files[finish.file] = .committing(incoming)
            return .commit(incoming.verified)
        case .matching(let matching):
            var incoming = matching.incoming
            guard finish.content == matching.existing else {
                return .refuse(self.failed(finish.file, Self.existsError(incoming.path)))
            }
            // Where other content is taken, it is for the store to say whether this is.
            guard matching.decay == nil || matching.canRestart else {
                return .refuse(self.failed(finish.file, Self.decayedError(incoming.path)))
            }
            incoming.verified = matching.existing
            self.files[finish.file] = .committing(incoming)
            return .commit(matching.existing)
        case .rewinding, .refused:
            return .discard
        case .staging, .abandoned, .committing:
            throw self.outOfOrder("FINISH", finish.file)
        }
    }

    private mutating func isOther(_ file: FileID, _ incoming: Incoming) -> FinishAction {
        let message = "'\(incoming.path)' does not have the size and digest that its sender states"
        return .refuse(self.failed(file, FxferError(.damaged, message)))
    }

    /// The file is stored: answers the receipt to send.
    ///
    /// - Parameters:
    ///   - path: where it is; nil for the path that was offered.
    ///   - level: how far the store has gone to keep it.
    ///   - repairedChunks: of a decayed file, how many were replaced.
    package mutating func committed(
        _ file: FileID,
        _ outcome: Receipt.Outcome,
        at path: RelativePath? = nil,
        level: Durability = .durable,
        repairedChunks: UInt32? = nil
    ) -> Receipt {
        guard case .committing(let incoming) = self.files.removeValue(forKey: file) else {
            preconditionFailure("only a file that is being committed gets a receipt")
        }
        let path = (path ?? incoming.path).bytes
        return Receipt(
            file: file,
            outcome: outcome,
            content: incoming.verified,
            path: path,
            level: level,
            repairedChunks: repairedChunks
        )
    }

    /// The sender gives a file up, or acknowledges a REFUSE.
    ///
    /// - Throws: `protocolViolation` where the file is not open or is being committed.
    package mutating func receive(cancel: FileFailure) throws(FxferError) -> CancelAction {
        switch try self.state(of: cancel.file) {
        case .receiving, .rewinding, .matching:
            self.files[cancel.file] = nil
            return .discard(cancel.error)
        case .staging:
            self.files[cancel.file] = .abandoned
            return .forget
        case .refused:
            self.files[cancel.file] = nil
            return .forget
        case .abandoned, .committing:
            throw self.outOfOrder("CANCEL", cancel.file)
        }
    }
}
