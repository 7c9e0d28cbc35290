// swift-tools-version: 6.2
import PackageDescription

/// The rules that every target of this package is compiled under.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

// The targets are the layers: an arrow that is not written here cannot be written in the code.
let package = Package(
  name: "berth",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
  ],
  targets: [
    .target(name: "CLinux"),
    .target(name: "CSystemd"),
    .target(name: "CZstd"),
    .systemLibrary(name: "CExpat", providers: [.apt(["libexpat1-dev"])]),

    .target(name: "HostModel", swiftSettings: strict),
    .target(name: "Tunings", dependencies: ["HostModel"], swiftSettings: strict),
    .target(name: "Advice", dependencies: ["HostModel"], swiftSettings: strict),
    .target(name: "Ledger", dependencies: ["HostModel"], swiftSettings: strict),
    .target(name: "Findings", dependencies: ["HostModel"], swiftSettings: strict),
    .target(
      name: "HostIO",
      dependencies: [
        "HostModel", "Tunings", "Ledger", "CLinux", "CSystemd", "CZstd", "CExpat",
        .product(name: "TOMLKit", package: "TOMLKit"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "berth",
      dependencies: [
        "HostModel", "Tunings", "Advice", "Findings", "Ledger", "HostIO",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // What Tests/Fuzz/run tries with texts without end, and the tests with the seeds of these.
    .target(
      name: "FuzzTargets", dependencies: ["HostIO", "Ledger", "HostModel"],
      path: "Tests/Fuzz/Targets", swiftSettings: strict),

    .testTarget(name: "HostModelTests", dependencies: ["HostModel"], swiftSettings: strict),
    .testTarget(
      name: "TuningsTests", dependencies: ["Tunings", "HostModel"], swiftSettings: strict),
    .testTarget(
      name: "AdviceTests", dependencies: ["Advice", "HostIO", "HostModel"], swiftSettings: strict),
    .testTarget(name: "LedgerTests", dependencies: ["Ledger", "HostModel"], swiftSettings: strict),
    .testTarget(
      name: "FindingsTests", dependencies: ["Findings", "HostModel"], swiftSettings: strict),
    .testTarget(
      name: "HostIOTests",
      dependencies: [
        "HostIO", "Ledger", "Tunings", "HostModel", "CLinux", "CSystemd", "FuzzTargets",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "BerthTests",
      dependencies: [
        "berth", "Advice", "Findings", "HostIO", "HostModel",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
  ]
)

// libFuzzer brings the program's `main`: without `-sanitize=fuzzer` there is nothing to link.
if Context.environment["BERTH_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver", swiftSettings: strict)
  )
}
