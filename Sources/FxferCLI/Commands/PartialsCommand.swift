import ArgumentParser
import Fxfer
import FxferProtocol
import FxferS3

/// `fxfer partials DIR`, or `--store s3://BUCKET`
struct PartialsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "partials",
        abstract: "List what interrupted uploads have brought.",
        discussion: """
            For each upload into DIR or a bucket that was interrupted and can be gone on with: bytes that are verified, of how \
            many, the time of the last write (UTC), whether it is in use just now, and the name. Parts expire (fxfer \
            serve --keep-partials).

              fxfer partials ./out
              fxfer partials --store s3://bucket/prefix
            """
    )

    @Argument(help: ArgumentHelp("The directory of a server.", valueName: "dir"), completion: .directory)
    var dir: String?

    @OptionGroup(title: "Object store")
    var objects: ObjectStoreOptions

    @Flag(help: "Write one JSON object a line.")
    var json = false

    func validate() throws {
        try self.objects.validate(directory: self.dir)
    }

    private func partials() async throws -> [KeptPartial] {
        guard let place = try self.objects.place() else {
            return try await KeptPartial.list(in: RawArgument(text: self.dir ?? "").bytes)
        }
        return try await place.withBucket { try await $0.partials().map(KeptPartial.init) }
    }

    func run() async throws {
        do {
            for partial in try await self.partials() {
                StandardStream.output.write(line: PartialLine(partial).text(asJSON: self.json))
            }
        } catch {
            ExitStatus.exit(error)
        }
    }
}
