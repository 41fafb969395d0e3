import FxferProtocol
import FxferStorage
import NIOCore

/// What the log and the metrics are told about files that come in.
extension ServerConnection {
    func receive(_ offer: Offer) async throws {
        await self.waitForPlace()
        switch try self.receiving.receiver.receive(offer) {
        case .stage(let path):
            self.countBegin(of: offer)
            await self.handleOffer(offer, to: path, offer.level)
        case .refuse(let failure):
            self.log.refused(offer.pathText, failure.error)
            if !offer.attributes.isFolder { self.metrics.ended(.received, .refused) }
            await self.refuse(failure)
        }
    }

    func noteProgress(_: FileID, of incoming: IncomingFile<Directory.Staged>, verified: UInt64) {
        self.metrics.bytesReceived.increment(by: verified - min(verified, incoming.verified))
    }

    func noteDamaged(_ incoming: IncomingFile<Directory.Staged>, at offset: UInt64, isGivenUp: Bool) {
        self.count(.digest)
        guard !isGivenUp else { return }
        self.metrics.rewinds.increment()
        self.log.damaged(incoming.path, at: offset)
    }

    func noteStored(
        _: FileID,
        _ incoming: IncomingFile<Directory.Staged>,
        _ content: FilePrefix,
        _ publication: Publication
    ) {
        self.countEnd(incoming, FileEnd.Outcome(publication.outcome))
        guard !incoming.isFolder else { return self.log.madeFolder(publication.path) }
        self.metrics.received(in: NIODeadline.now() - incoming.began)
        self.metrics.repairs.increment(by: incoming.repairedChunks(publication) ?? 0)
        self.log.stored(
            publication.path,
            content,
            publication.outcome,
            resumedAt: incoming.resumedAt,
            repairedChunks: incoming.repairedChunks(publication),
            since: incoming.began
        )
    }

    func noteSame(_: FileID, _ incoming: IncomingFile<Directory.Staged>) {
        self.countEnd(incoming, .unchanged)
        self.log.same(incoming.path)
    }

    func noteFailed(
        _: FileID,
        _ incoming: IncomingFile<Directory.Staged>,
        after bytes: UInt64,
        _ error: FxferError
    ) {
        if case .unknown = incoming.content {
            self.countEnd(incoming, .refused)
            self.log.refused(incoming.path.description, error)
        } else {
            self.countEnd(incoming, .failed)
            self.log.failed(incoming.path, after: bytes, error, since: incoming.began)
        }
    }

    func noteFileEnded() {
        self.endIfDue()
    }

    func receiptPath(of publication: Publication) -> RelativePath? { publication.path }

    func sign(_ receipt: inout Receipt, _ stored: StoredEntry) {
        guard let signer = self.signer else { return }
        do throws(FxferError) {
            try signer.sign(&receipt, stored)
        } catch {
            // Without a signature the client does not count the file as stored, which it is: no harm is done.
            self.log.notSigned(EscapedText.escape(receipt.path), error)
        }
    }
}
