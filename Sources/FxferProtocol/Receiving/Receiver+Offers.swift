extension Receiver {
    /// What OFFER asks for.
    package enum OfferAction {
        /// Ask the store, then call ``staged(_:)``, ``existing(_:_:)`` or ``failed(_:_:)``.
        case stage(RelativePath)
        /// Send this REFUSE.
        case refuse(FileFailure)
    }

    /// A sender offers a file.
    ///
    /// - Throws: `protocolViolation` for a number that is not larger than the last, `limitExceeded` for too many files.
    package mutating func receive(_ offer: Offer) throws(FxferError) -> OfferAction {
        guard offer.file > self.lastFile ?? 0 else {
            throw FxferError(.protocolViolation, "file numbers grow from 1 on; \(offer.file) does not")
        }
        guard self.files.count < self.filesInFlight else {
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

    /// The store is ready to take the file from its first byte on: answers the frame to send.
    package mutating func staged(_ file: FileID) -> Frame {
        let incoming = self.stagingFile(file)
        self.files[file] = .receiving(incoming)
        return .accept(Accept(file: file, prefix: incoming.verified))
    }

    /// A file of that name and size is there already: answers the frame to send.
    package mutating func existing(_ file: FileID, _ content: FilePrefix) -> Frame {
        self.files[file] = .matching(self.stagingFile(file), existing: content)
        return .accept(Accept(file: file, prefix: content))
    }

    private func stagingFile(_ file: FileID) -> Incoming {
        guard case .staging(let incoming) = self.files[file] else {
            preconditionFailure("only a file that is being staged can be accepted")
        }
        return incoming
    }
}
