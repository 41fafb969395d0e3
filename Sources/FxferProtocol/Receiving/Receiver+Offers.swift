extension Receiver {
    /// What OFFER asks for.
    package enum OfferAction {
        /// Ask the store, then call ``staged(_:_:)``, ``existing(_:_:canRestart:)``, ``same(_:)`` or ``failed(_:_:)``.
        /// Other events may come before.
        case stage(RelativePath)
        /// Send this REFUSE.
        case refuse(FileFailure)
    }

    /// A sender offers a file. The owner has waited for ``abandonedFileInTheWay`` before.
    ///
    /// - Throws: `protocolViolation` for a number that is not larger than the last, `limitExceeded` for too many files.
    package mutating func receive(_ offer: Offer) throws(FxferError) -> OfferAction {
        guard offer.file > self.lastFile ?? 0 else {
            throw FxferError(.protocolViolation, "file numbers grow from 1 on; \(offer.file) does not")
        }
        guard
            self.files.count < self.filesInFlight
                || self.files.values.count(where: { !$0.isAbandoned }) < self.filesInFlight
        else {
            throw FxferError(.limitExceeded, "more than \(self.filesInFlight) files are open at once")
        }
        self.lastFile = offer.file
        if let refusal = self.refusal {
            return .refuse(self.failed(offer.file, refusal))
        }
        do throws(PathRule) {
            let path = try RelativePath(bytes: offer.path)
            self.files[offer.file] = .staging(Incoming(path: path, size: offer.attributes.size))
            return .stage(path)
        } catch {
            let message = "the name '\(offer.pathText)' \(error.explanation)"
            return .refuse(self.failed(offer.file, FxferError(.nameRefused, message, cause: error)))
        }
    }

    /// The store is ready to take the file behind `prefix`, which it holds from an earlier try, or from its first byte
    /// on: answers the frame to send. Nil where the sender gave the file up meanwhile: discard what is held.
    ///
    /// - Parameter newFolder: the topmost folder of the path that does not exist yet, where there is one.
    package mutating func staged(
        _ file: FileID,
        _ prefix: FilePrefix = .empty,
        newFolder: RelativePath? = nil
    ) -> Frame? {
        guard var incoming = self.takeStagingFile(file) else { return nil }
        incoming.verified = prefix
        incoming.mayRestart = prefix.length > 0
        self.files[file] = .receiving(incoming)
        let newFolderLength = newFolder.map { UInt16(clamping: $0.bytes.count) }
        return .accept(Accept(file: file, prefix: prefix, newFolderLength: newFolderLength))
    }

    /// A file of that name and size is there already: answers the frame to send; nil as for ``staged(_:_:)``.
    ///
    /// - Parameters:
    ///   - canRestart: whether the store takes other content of that name, too.
    ///   - decay: what is wrong with it, where it has decayed; it may be repaired then.
    package mutating func existing(
        _ file: FileID,
        _ content: FilePrefix,
        canRestart: Bool,
        decay: Decay? = nil
    ) -> Frame? {
        guard let incoming = self.takeStagingFile(file) else { return nil }
        self.files[file] = .matching(
            Matching(incoming: incoming, existing: content, canRestart: canRestart, decay: decay)
        )
        return .accept(Accept(file: file, prefix: content, decay: decay))
    }

    /// A file of that name, size and time is there, which is all that was asked: answers the frame to send; nil as for
    /// ``staged(_:_:)``.
    package mutating func same(_ file: FileID) -> Frame? {
        self.takeStagingFile(file).map { _ in .same(Same(file: file)) }
    }

    /// Ends the staging of a file; nil where it was abandoned.
    private mutating func takeStagingFile(_ file: FileID) -> Incoming? {
        switch self.files.removeValue(forKey: file) {
        case .staging(let incoming): return incoming
        case .abandoned: return nil
        default: preconditionFailure("only a file that is being staged can be accepted")
        }
    }
}
