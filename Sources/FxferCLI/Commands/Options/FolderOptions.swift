import ArgumentParser

/// What is sent of a folder.
struct FolderOptions: ParsableArguments {
    /// What happens to symbolic links inside folders.
    enum Links: String, ExpressibleByArgument, CaseIterable {
        case skip, follow
    }

    @Option(
        help: ArgumentHelp(
            "Leave out what matches: * ? [a-z], ** over folders; with a slash, from the top of what is sent.",
            valueName: "pattern"
        )
    )
    var exclude: [String] = []

    @Option(help: "Symbolic links inside folders: skip and name them, or send what they lead to.")
    var links = Links.skip
}
