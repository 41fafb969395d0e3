import FxferProtocol
import FxferStorage

/// Publishing: what happens between FINISH and RECEIPT, beside everything else.
extension FileReceiving {
    func handleFinish(_ finish: Finish) async throws {
        await self.waitForStaging(of: finish.file)
        await self.take(try self.receiving.receiver.receive(finish), of: finish.file)
    }

    private func take(_ action: Receiver.FinishAction, of file: FileID) async {
        switch action {
        case .commit:
            self.receiving.commits += 1
            if self.incoming(file).isFolder {
                self.receiving.heldFolders.append(file)
                self.publishFolders()
            } else {
                self.publish(file)
            }
        case .fill(let end):
            guard let content = await self.fill(file, upTo: end) else { return }
            await self.take(self.receiving.receiver.filled(file, content), of: file)
        case .rewind(let frame):
            self.rewind(file, frame)
        case .refuse(let failure):
            await self.refuse(failure)
        case .discard:
            break
        }
    }

    private func publish(_ file: FileID) {
        switch self.incoming(file).content {
        case .staged(let staged):
            self.publish(file, staged)
        case .existing(let existing, _, _):
            self.receiving.jobs.begin { await self.confirm(file, existing) }
        case .unknown:
            preconditionFailure("the machine commits staged files only")
        }
    }

    private func publish(_ file: FileID, _ staged: Directory.Staged) {
        self.work += 1
        let published = self.receiving.published
        staged.publish(from: self.origin) { published.leave(file, $0) }
    }

    /// A file that was there already is made as durable as was asked, where it is.
    private func confirm(_ file: FileID, _ existing: ExistingFile) async {
        self.work += 1
        let incoming = self.incoming(file)
        let result: Result<Publication, FxferError>
        do {
            result = .success(try await existing.confirmDurable(from: self.origin))
        } catch {
            result = .failure(FxferError(wrapping: error))
        }
        // Before the receipt, with which the sender may offer the path again: nobody is to have its partial then.
        await incoming.staged?.discard(keepingPartial: false)
        self.receiving.published.leave(file, result)
    }

    /// Publishes the folders that wait for no file any more: one that arrived in a folder later would change its times,
    /// and the folder's permissions may forbid that.
    func publishFolders() {
        guard !self.receiving.heldFolders.isEmpty else { return }
        let held = self.receiving.heldFolders
        self.receiving.heldFolders = []
        for folder in held {
            let incoming = self.incoming(folder)
            if self.receiving.receiver.hasOpenFile(before: folder, beneath: incoming.path) {
                self.receiving.heldFolders.append(folder)
            } else if case .staged(let staged) = incoming.content {
                self.publish(folder, staged)
            }
        }
    }

    /// Does what goes on beside the reading of the connection: staging, publishing, receipts. Returns when
    /// ``endReceiving()`` was called or the task is cancelled.
    func workOnFiles() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.receiving.jobs.run() }
            for await _ in self.receiving.published.bell {
                await self.takePublished()
            }
            // Nobody waits for what is still being staged.
            group.cancelAll()
        }
    }

    private func takePublished() async {
        for (file, result) in self.receiving.published.take() {
            await self.settle(file, result)
        }
        self.flush()
        self.noteFileEnded()
        guard self.receiving.commits == 0 else { return }
        for waiter in self.receiving.commitWaiters { waiter.resume() }
        self.receiving.commitWaiters = []
    }

    private func settle(_ file: FileID, _ result: Result<Publication, FxferError>) async {
        self.work -= 1
        self.receiving.commits -= 1
        switch result {
        case .success(let publication):
            guard let incoming = self.receiving.files.removeValue(forKey: file) else {
                preconditionFailure("a file that is published stays open until then")
            }
            var receipt = self.receiving.receiver.committed(
                file,
                publication,
                at: self.receiptPath(of: publication),
                repairedChunks: incoming.repairedChunks(publication)
            )
            if !incoming.isFolder { self.sign(&receipt, StoredEntry(publication)) }
            self.noteStored(file, incoming, receipt.content, publication)
            self.wire.write(.receipt(receipt))
        case .failure(let error):
            await self.refuse(self.receiving.receiver.failed(file, error))
        }
    }

    /// Returns when nothing is being published any more; nothing further is. Folders that wait for files that never came
    /// are given up.
    func endReceiving() async {
        let held = self.receiving.heldFolders
        self.receiving.heldFolders = []
        self.receiving.commits -= held.count
        if self.receiving.commits > 0 {
            await withCheckedContinuation { self.receiving.commitWaiters.append($0) }
        }
        self.receiving.jobs.end()
        self.receiving.published.end()
    }
}

extension Receiver {
    /// The receipt of a file that is stored under its name.
    fileprivate mutating func committed(
        _ file: FileID,
        _ publication: Publication,
        at path: RelativePath?,
        repairedChunks: UInt32?
    ) -> Receipt {
        let outcome: Receipt.Outcome =
            switch publication.outcome {
            case .stored: .stored
            case .identical: .identical
            case .replaced, .repaired: .replaced
            }
        return self.committed(file, outcome, at: path, level: publication.level, repairedChunks: repairedChunks)
    }
}
