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
            guard finish.content == incoming.verified else {
                let message = "'\(incoming.path)' does not have the size and digest that its sender states"
                return .refuse(self.failed(finish.file, FxferError(.damaged, message)))
            }
            self.files[finish.file] = .committing(incoming)
            return .commit(incoming.verified)
        case .matching(var incoming, let existing, _):
            guard finish.content == existing else {
                return .refuse(self.failed(finish.file, Self.existsError(incoming.path)))
            }
            incoming.verified = existing
            self.files[finish.file] = .committing(incoming)
            return .commit(existing)
        case .rewinding, .refused:
            return .discard
        case .staging, .abandoned, .committing:
            throw self.outOfOrder("FINISH", finish.file)
        }
    }

    /// The file is stored: answers the receipt to send.
    ///
    /// - Parameters:
    ///   - path: where it is; nil for the path that was offered.
    ///   - level: how far the store has gone to keep it.
    package mutating func committed(
        _ file: FileID,
        _ outcome: Receipt.Outcome,
        at path: RelativePath? = nil,
        level: Durability = .durable
    ) -> Receipt {
        guard case .committing(let incoming) = self.files.removeValue(forKey: file) else {
            preconditionFailure("only a file that is being committed gets a receipt")
        }
        let path = (path ?? incoming.path).bytes
        return Receipt(file: file, outcome: outcome, content: incoming.verified, path: path, level: level)
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
