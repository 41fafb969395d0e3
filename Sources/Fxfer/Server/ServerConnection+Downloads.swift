import FxferProtocol
import FxferStorage
import FxferTrust
import NIOCore

/// A file that a client asked for.
struct GivenFile: Sendable {
    let file: FileID
    let path: RelativePath
    let began: NIODeadline
}

/// The way back: files and listings that a client asks for, given in the order of its requests.
extension ServerConnection {
    /// How many files are given over one connection at once: each holds a descriptor, or up to 32 KiB, until the client
    /// has acknowledged it.
    static var maxFilesGiven: UInt16 { 32 }

    /// How large the chunks are that are given, in bytes, however large a client would take them: a client that does not
    /// read holds a few of them in memory. 256 KiB: a download of 512 MiB takes no longer than with 1 MiB.
    static var largestChunkGiven: UInt32 { 262_144 }

    /// Takes a request on.
    ///
    /// - Throws: `limitExceeded` where too many are open, `protocolViolation` for a number that does not grow.
    func take(_ request: RequestQueue.Request) throws {
        if case .get(let get) = request {
            guard get.file > self.lastGet else {
                throw FxferError(.protocolViolation, "file numbers grow from 1 on; \(get.file) does not")
            }
            self.lastGet = get.file
        }
        guard self.requests.add(request, limit: Int(self.limits.filesInFlight)) else {
            throw FxferError(.limitExceeded, "more than \(self.limits.filesInFlight) requests are open at once")
        }
    }

    /// Answers requests for as long as the connection lasts. Files are sent one after the other, but the next does not
    /// wait for the receipt of the last.
    func answerRequests() async {
        await withDiscardingTaskGroup { receipts in
            for await request in self.requests.requests {
                switch request {
                case .get(let get):
                    if let open = await self.give(get), await self.advance(open, to: .sent) {
                        receipts.addTask { _ = await self.advance(open, to: .ended) }
                    }
                case .list(let list):
                    await self.answer(list)
                }
                self.requests.answered()
                self.wire.flush()
                await self.wire.drain()
                self.endIfDue()
            }
        }
    }

    /// Offers the file; nil where there is nothing to wait for: the answers bring it on, or it cannot be given.
    private func give(_ get: Get) async -> OutgoingFile<GivenFile>? {
        do throws(FxferError) {
            try self.checkSharing(.read, "get files")
            let path = try self.path(get.path)
            let content = try await self.open(path)
            guard await self.waitForTurn() else { return nil }
            let label = GivenFile(file: get.file, path: path, began: .now())
            return try self.offer(content, label, as: get.file)
        } catch {
            guard error.code != .isFolder else {
                // How a client that was given a name finds out what it is.
                return self.deny(get, error)
            }
            self.metrics.ended(.sent, .refused)
            self.metrics.refused(error.code)
            self.log.notGiven(EscapedText.escape(get.path.prefix(RelativePath.maxBytes)), error)
            return self.deny(get, error)
        }
    }

    private func deny(_ get: Get, _ error: FxferError) -> OutgoingFile<GivenFile>? {
        self.wire.write(.cancel(FileFailure(file: get.file, error)))
        return nil
    }

    private func open(_ path: RelativePath) async throws(FxferError) -> SharedContent {
        do {
            return try await self.working { try await self.store.open(path) }
        } catch {
            throw FxferError(wrapping: error)
        }
    }

    private func offer(
        _ content: SharedContent,
        _ label: GivenFile,
        as file: FileID
    ) throws(FxferError) -> OutgoingFile<GivenFile>? {
        guard self.sending.sender?.canOffer(as: file) ?? false else {
            throw FxferError(.protocolViolation, "file numbers grow; \(file) does not")
        }
        let attributes = content.attributes
        guard let offer = self.sending.sender?.offer(label.path, attributes, .afterwards, as: file) else {
            throw Self.notGreeted
        }
        self.wire.write(.offer(offer))
        self.metrics.transfersInFlight.increment()
        switch content {
        case .loaded(let loaded) where self.limiter == nil:
            let outgoing = LoadedOutgoing(label: label, bytes: loaded.bytes, digest: loaded.digest, expected: nil)
            self.sending.loaded[file] = outgoing
            self.advance(outgoing, file)
            return nil
        case .loaded(let loaded):
            return OutgoingFile(label: label, file: file, source: LoadedSource(loaded), expected: nil)
        case .file(let source):
            return OutgoingFile(label: label, file: file, source: source, expected: nil)
        }
    }

    private func answer(_ list: List) async {
        do {
            try self.checkSharing(.list, "list files")
            let path = list.path.isEmpty ? nil : try self.path(list.path)
            let listing = try await self.working { try await self.store.list(path) }
            while true {
                let entries = try await self.working { try await listing.next() }
                guard !entries.isEmpty, self.sending.failure == nil else { break }
                for entry in entries {
                    self.wire.write(.entry(entry.frame(of: list.listing)))
                }
                self.wire.flush()
                await self.wire.drain()
            }
            self.wire.write(.listed(Listed(listing: list.listing, folder: listing.folder)))
        } catch is CancellationError {
            // The client is gone.
        } catch {
            let error = FxferError(wrapping: error)
            self.metrics.refused(error.code)
            self.wire.write(.listed(Listed(listing: list.listing, error)))
        }
    }

    private func checkSharing(_ right: AccessRights, _ verb: String) throws(FxferError) {
        guard self.configuration.isSharing else { throw FxferError.notShared }
        guard self.rights.contains(right) else { throw self.tokenLacks(verb) }
    }

    private func path(_ bytes: [UInt8]) throws(FxferError) -> RelativePath {
        do throws(PathRule) {
            return try RelativePath(bytes: bytes)
        } catch {
            let name = EscapedText.escape(bytes.prefix(RelativePath.maxBytes))
            throw FxferError(.nameRefused, "the name '\(name)' \(error.explanation)", cause: error)
        }
    }

    // MARK: What the log and the metrics are told

    func name(of label: GivenFile) -> String { label.path.description }

    func noteResumed(_ label: GivenFile, at offset: UInt64) {
        // The client has had these bytes before.
        self.countedSent[label.file] = offset
    }

    func noteAccepted(_: FileID, newFolderLength _: UInt16?) {}

    /// Clients sign nothing.
    func check(_: Receipt) throws(FxferError) {}

    func noteProgress(_ label: GivenFile, verified: UInt64) {
        self.countSent(label, verified: verified)
    }

    func noteEnded(_ label: GivenFile, _ result: Result<SentReceipt?, FxferError>) {
        self.countEnd(label, result)
        switch result {
        case .success(let sent):
            self.log.given(label.path, sent?.receipt.content ?? .empty, since: label.began)
        case .failure(let error):
            self.log.notGiven(label.path.description, error)
        }
        self.endIfDue()
    }
}

extension SharedEntry {
    fileprivate func frame(of listing: UInt32) -> Entry {
        Entry(
            listing: listing,
            kind: self.isFolder ? .folder : .file,
            permissions: self.permissions,
            size: self.size,
            modified: self.modified,
            name: self.name
        )
    }
}
