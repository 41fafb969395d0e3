import FxferProtocol
import FxferStorage

/// How a file begins.
extension FileReceiving {
    /// Takes an offer on; the store is asked beside the frames that follow, unless content may follow at once.
    ///
    /// - Parameters:
    ///   - path: where the file is to be stored on this side.
    ///   - level: how durable it has to become.
    func handleOffer(_ offer: Offer, to path: RelativePath, _ level: Durability) async {
        var incoming = IncomingFile<Directory.Staged>(
            path: path,
            began: .now(),
            isFolder: offer.attributes.isFolder,
            content: .unknown
        )
        let mayFollow =
            offer.comparison == .afterwards
            && offer.attributes.size.map { $0 <= UInt64(self.receiving.receiver.chunkSize) } ?? false
        if mayFollow, let staged = self.store.stageInMemory(path, offer.attributes, level) {
            incoming.content = .staged(staged)
            self.receiving.files[offer.file] = incoming
            self.write(self.receiving.receiver.staged(offer.file))
            return
        }
        self.receiving.files[offer.file] = incoming
        // An offer of a larger file, or of a stream, waits for the answer in any case.
        let comparison: Comparison =
            mayFollow || offer.comparison != .afterwards
            ? offer.comparison : offer.attributes.size == nil ? .afterwards : .byDigest
        if mayFollow {
            await self.stage(offer, path, comparison, level)
        } else {
            self.receiving.jobs.begin {
                await self.stage(offer, path, comparison, level)
                await self.flush()
            }
        }
    }

    /// Returns when the machine can take an offer; see ``Receiver/abandonedFileInTheWay``.
    func waitForPlace() async {
        while let file = self.receiving.receiver.abandonedFileInTheWay {
            await self.waitForStaging(of: file)
        }
    }

    /// Returns when the store has answered about a file. A sender has to wait for that itself; to one that does not,
    /// its haste does no harm.
    func waitForStaging(of file: FileID) async {
        while case .unknown = self.receiving.files[file]?.content {
            self.flush()
            await withCheckedContinuation { self.receiving.stagingWaiter = $0 }
        }
    }

    private func wakeStagingWaiter() {
        self.receiving.stagingWaiter?.resume()
        self.receiving.stagingWaiter = nil
    }

    private func stage(
        _ offer: Offer,
        _ path: RelativePath,
        _ comparison: Comparison,
        _ level: Durability
    ) async {
        do {
            let wire = self.wire
            let staging = try await self.working {
                try await self.store.stage(path, offer.attributes, comparison, level) { length in
                    guard length > 0 else { return }
                    wire.eventLoop.execute {
                        wire.write(.reading(Reading(file: offer.file, length: length)))
                        wire.flush()
                    }
                }
            }
            await self.accept(offer.file, staging)
        } catch {
            let error = FxferError(wrapping: error)
            await self.refuse(self.receiving.receiver.failed(offer.file, error))
        }
        self.wakeStagingWaiter()
    }

    private func accept(_ file: FileID, _ staging: Staging<Directory.Staged>) async {
        let answer: Frame?
        switch staging {
        case .fresh(let staged):
            self.receiving.files[file]?.content = .staged(staged)
            answer = self.receiving.receiver.staged(file, newFolder: staged.newFolder)
        case .partial(let staged):
            self.receiving.files[file]?.content = .staged(staged)
            self.receiving.files[file]?.resumedAt = staged.position
            self.receiving.files[file]?.verified = staged.position
            let prefix = FilePrefix(length: staged.position, digest: staged.runningDigest())
            answer = self.receiving.receiver.staged(file, prefix)
        case .existing(let existing, let otherwise, let decayed):
            self.receiving.files[file]?.content = .existing(existing, otherwise: otherwise, decayed: decayed)
            answer = self.receiving.receiver.existing(
                file,
                FilePrefix(length: existing.size, digest: existing.digest),
                canRestart: otherwise != nil,
                decay: decayed?.decay
            )
        case .unchanged:
            answer = self.receiving.receiver.same(file)
            if answer != nil, let incoming = self.receiving.files.removeValue(forKey: file) {
                self.noteSame(file, incoming)
                self.noteFileEnded()
            }
        }
        if answer == nil {
            await self.discard(file, FxferError(.cancelled, "the sender gave the file up"))
        }
        self.write(answer)
    }

    private func write(_ frame: Frame?) {
        guard let frame else { return }
        self.wire.write(frame)
    }
}
