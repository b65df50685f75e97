//! The volumes of a Pod template.

use std::fmt::Display;

use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeSource, EphemeralVolumeSource, PersistentVolumeClaimTemplate, ProjectedVolumeSource, Volume,
};

use super::page::Page;
use super::{go, meta, quantity};

pub(super) fn describe(page: &mut Page, volumes: &[Volume]) {
    if volumes.is_empty() {
        return page.field(1, "Volumes", "<none>");
    }
    page.line(1, "Volumes:");
    for volume in volumes {
        page.line(1, format_args!(" {}:", volume.name));
        let described = of_cluster(page, volume) || of_network(page, volume) || of_provider(page, volume);
        if !described {
            page.line(1, "<unknown>");
        }
    }
}

/// What sort of volume it is, and its properties: their names with all that stands before the tab.
fn source(page: &mut Page, kind: &str, properties: &[(&str, &dyn Display)]) {
    page.field(2, "Type", kind);
    for (name, value) in properties {
        page.line(2, format_args!("{name}\t{value}"));
    }
}

fn text(value: Option<&String>) -> &str {
    value.map_or("", String::as_str)
}

/// Volumes made of objects of the cluster or of the node itself.
fn of_cluster(page: &mut Page, volume: &Volume) -> bool {
    if let Some(path) = &volume.host_path {
        let kind = path.type_.as_deref().unwrap_or("<none>");
        let properties: &[(&str, &dyn Display)] = &[("Path:", &path.path), ("HostPathType:", &kind)];
        source(page, "HostPath (bare host directory volume)", properties);
    } else if let Some(dir) = &volume.empty_dir {
        let limit = dir.size_limit.as_ref().filter(|limit| quantity::is_positive(limit));
        let limit = limit.map_or("<unset>", |limit| limit.0.as_str());
        let properties: &[(&str, &dyn Display)] = &[("Medium:", &text(dir.medium.as_ref())), ("SizeLimit:", &limit)];
        source(page, "EmptyDir (a temporary directory that shares a pod's lifetime)", properties);
    } else if let Some(secret) = &volume.secret {
        source(
            page,
            "Secret (a volume populated by a Secret)",
            &[("SecretName:", &text(secret.secret_name.as_ref())), ("Optional:", &secret.optional.unwrap_or_default())],
        );
    } else if let Some(map) = &volume.config_map {
        source(
            page,
            "ConfigMap (a volume populated by a ConfigMap)",
            &[("Name:", &map.name), ("Optional:", &map.optional.unwrap_or_default())],
        );
    } else if let Some(claim) = &volume.persistent_volume_claim {
        source(
            page,
            "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
            &[("ClaimName:", &claim.claim_name), ("ReadOnly:", &claim.read_only.unwrap_or_default())],
        );
    } else if let Some(ephemeral) = &volume.ephemeral {
        of_claim_template(page, ephemeral);
    } else if let Some(downward) = &volume.downward_api {
        of_downward_api(page, downward);
    } else if let Some(projected) = &volume.projected {
        of_projected(page, projected);
    } else if let Some(image) = &volume.image {
        source(
            page,
            "Image (a container image or OCI artifact)",
            &[("Reference:", &text(image.reference.as_ref())), ("PullPolicy:", &text(image.pull_policy.as_ref()))],
        );
    } else {
        return false;
    }
    true
}

fn of_claim_template(page: &mut Page, ephemeral: &EphemeralVolumeSource) {
    source(
        page,
        "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)",
        &[],
    );
    if let Some(template) = &ephemeral.volume_claim_template {
        page.nested(2, |page| claim(page, template));
    }
}

fn claim(page: &mut Page, template: &PersistentVolumeClaimTemplate) {
    let PersistentVolumeClaimTemplate { metadata, spec } = template;
    let metadata = metadata.clone().unwrap_or_default();
    // The annotation is what there was before the field, and still goes first.
    let class = metadata.annotations.as_ref().and_then(|all| all.get("volume.beta.kubernetes.io/storage-class"));
    let volume = text(spec.volume_name.as_ref());
    page.field(0, "StorageClass", text(class.or(spec.storage_class_name.as_ref())));
    page.field(0, "Volume", volume);
    meta::labels(page, "Labels", metadata.labels.as_ref());
    meta::annotations(page, "Annotations", metadata.annotations.as_ref());
    // Only a claim that exists has a capacity and modes; kubectl looks for them all the same.
    page.field(0, "Capacity", if volume.is_empty() { "" } else { "0" });
    page.field(0, "Access Modes", "");
    page.optional(0, "VolumeMode", spec.volume_mode.as_ref());
    if let Some(data) = &spec.data_source {
        page.line(0, "DataSource:");
        page.optional(1, "APIGroup", data.api_group.as_ref());
        page.field(1, "Kind", &data.kind);
        page.field(1, "Name", &data.name);
    }
}

fn of_downward_api(page: &mut Page, downward: &DownwardAPIVolumeSource) {
    source(page, "DownwardAPI (a volume populated by information about the pod)", &[]);
    page.line(2, "Items:");
    for item in downward.items.iter().flatten() {
        if let Some(field) = &item.field_ref {
            page.line(3, format_args!("{} -> {}", field.field_path, item.path));
        }
        if let Some(field) = &item.resource_field_ref {
            page.line(3, format_args!("{} -> {}", field.resource, item.path));
        }
    }
}

/// Sources that kubectl doesn't know, such as certificates, are left out.
fn of_projected(page: &mut Page, projected: &ProjectedVolumeSource) {
    source(page, "Projected (a volume that contains injected data from multiple sources)", &[]);
    for projection in projected.sources.iter().flatten() {
        if let Some(secret) = &projection.secret {
            page.field(2, "SecretName", &secret.name);
            page.field(2, "Optional", secret.optional.unwrap_or_default());
        } else if projection.downward_api.is_some() {
            page.field(2, "DownwardAPI", true);
        } else if let Some(map) = &projection.config_map {
            page.field(2, "ConfigMapName", &map.name);
            page.field(2, "Optional", map.optional.unwrap_or_default());
        } else if let Some(token) = &projection.service_account_token {
            page.field(2, "TokenExpirationSeconds", token.expiration_seconds.unwrap_or_default());
        }
    }
}

/// Volumes that a protocol or a driver reaches.
fn of_network(page: &mut Page, volume: &Volume) -> bool {
    if let Some(nfs) = &volume.nfs {
        source(
            page,
            "NFS (an NFS mount that lasts the lifetime of a pod)",
            &[("Server:", &nfs.server), ("Path:", &nfs.path), ("ReadOnly:", &nfs.read_only.unwrap_or_default())],
        );
    } else if let Some(csi) = &volume.csi {
        source(
            page,
            "CSI (a Container Storage Interface (CSI) volume source)",
            &[
                ("Driver:", &csi.driver),
                ("FSType:", &text(csi.fs_type.as_ref())),
                ("ReadOnly:", &csi.read_only.unwrap_or_default()),
            ],
        );
        meta::attributes(page, 2, "VolumeAttributes", csi.volume_attributes.as_ref());
    } else if let Some(iscsi) = &volume.iscsi {
        source(
            page,
            "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
            &[
                ("TargetPortal:", &iscsi.target_portal),
                ("IQN:", &iscsi.iqn),
                ("Lun:", &iscsi.lun),
                ("ISCSIInterface", &text(iscsi.iscsi_interface.as_ref())),
                ("FSType:", &text(iscsi.fs_type.as_ref())),
                ("ReadOnly:", &iscsi.read_only.unwrap_or_default()),
                ("Portals:", &go::list(iscsi.portals.as_deref().unwrap_or_default())),
                ("DiscoveryCHAPAuth:", &iscsi.chap_auth_discovery.unwrap_or_default()),
                ("SessionCHAPAuth:", &iscsi.chap_auth_session.unwrap_or_default()),
                ("SecretRef:", &go::reference(iscsi.secret_ref.as_ref())),
                ("InitiatorName:", &iscsi.initiator_name.as_deref().unwrap_or("<none>")),
            ],
        );
    } else if let Some(fc) = &volume.fc {
        let lun = fc.lun.map_or_else(|| "<none>".to_owned(), |lun| lun.to_string());
        source(
            page,
            "FC (a Fibre Channel disk)",
            &[
                ("TargetWWNs:", &fc.target_wwns.as_deref().unwrap_or_default().join(", ")),
                ("LUN:", &lun),
                ("FSType:", &text(fc.fs_type.as_ref())),
                ("ReadOnly:", &fc.read_only.unwrap_or_default()),
            ],
        );
    } else {
        return of_network_filesystem(page, volume);
    }
    true
}

fn of_network_filesystem(page: &mut Page, volume: &Volume) -> bool {
    if let Some(cephfs) = &volume.cephfs {
        source(
            page,
            "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
            &[
                ("Monitors:", &go::list(&cephfs.monitors)),
                ("Path:", &text(cephfs.path.as_ref())),
                ("User:", &text(cephfs.user.as_ref())),
                ("SecretFile:", &text(cephfs.secret_file.as_ref())),
                ("SecretRef:", &go::reference(cephfs.secret_ref.as_ref())),
                ("ReadOnly:", &cephfs.read_only.unwrap_or_default()),
            ],
        );
    } else if let Some(rbd) = &volume.rbd {
        source(
            page,
            "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
            &[
                ("CephMonitors:", &go::list(&rbd.monitors)),
                ("RBDImage:", &rbd.image),
                ("FSType:", &text(rbd.fs_type.as_ref())),
                ("RBDPool:", &text(rbd.pool.as_ref())),
                ("RadosUser:", &text(rbd.user.as_ref())),
                ("Keyring:", &text(rbd.keyring.as_ref())),
                ("SecretRef:", &go::reference(rbd.secret_ref.as_ref())),
                ("ReadOnly:", &rbd.read_only.unwrap_or_default()),
            ],
        );
    } else if let Some(glusterfs) = &volume.glusterfs {
        source(
            page,
            "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
            &[
                ("EndpointsName:", &glusterfs.endpoints),
                ("Path:", &glusterfs.path),
                ("ReadOnly:", &glusterfs.read_only.unwrap_or_default()),
            ],
        );
    } else if let Some(git) = &volume.git_repo {
        source(
            page,
            "GitRepo (a volume that is pulled from git when the pod is created)",
            &[("Repository:", &git.repository), ("Revision:", &text(git.revision.as_ref()))],
        );
    } else if let Some(flex) = &volume.flex_volume {
        source(
            page,
            "FlexVolume (a generic volume resource that is provisioned/attached using an exec based plugin)",
            &[
                ("Driver:", &flex.driver),
                ("FSType:", &text(flex.fs_type.as_ref())),
                ("SecretRef:", &go::reference(flex.secret_ref.as_ref())),
                ("ReadOnly:", &flex.read_only.unwrap_or_default()),
                ("Options:", &go::map(flex.options.as_ref())),
            ],
        );
    } else {
        return false;
    }
    true
}

/// Volumes of one provider, which all are replaced by CSI now; Jobs may still name them.
fn of_provider(page: &mut Page, volume: &Volume) -> bool {
    if let Some(disk) = &volume.gce_persistent_disk {
        source(
            page,
            "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
            &[
                ("PDName:", &disk.pd_name),
                ("FSType:", &text(disk.fs_type.as_ref())),
                ("Partition:", &disk.partition.unwrap_or_default()),
                ("ReadOnly:", &disk.read_only.unwrap_or_default()),
            ],
        );
    } else if let Some(store) = &volume.aws_elastic_block_store {
        source(
            page,
            "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
            &[
                ("VolumeID:", &store.volume_id),
                ("FSType:", &text(store.fs_type.as_ref())),
                ("Partition:", &store.partition.unwrap_or_default()),
                ("ReadOnly:", &store.read_only.unwrap_or_default()),
            ],
        );
    } else if let Some(disk) = &volume.azure_disk {
        source(
            page,
            "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
            &[
                ("DiskName:", &disk.disk_name),
                ("DiskURI:", &disk.disk_uri),
                ("Kind: ", &text(disk.kind.as_ref())),
                ("FSType:", &text(disk.fs_type.as_ref())),
                ("CachingMode:", &text(disk.caching_mode.as_ref())),
                ("ReadOnly:", &disk.read_only.unwrap_or_default()),
            ],
        );
    } else if let Some(file) = &volume.azure_file {
        source(
            page,
            "AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
            &[
                ("SecretName:", &file.secret_name),
                ("ShareName:", &file.share_name),
                ("ReadOnly:", &file.read_only.unwrap_or_default()),
            ],
        );
    } else if let Some(disk) = &volume.vsphere_volume {
        source(
            page,
            "vSphereVolume (a Persistent Disk resource in vSphere)",
            &[
                ("VolumePath:", &disk.volume_path),
                ("FSType:", &text(disk.fs_type.as_ref())),
                ("StoragePolicyName:", &text(disk.storage_policy_name.as_ref())),
            ],
        );
    } else if let Some(cinder) = &volume.cinder {
        source(
            page,
            "Cinder (a Persistent Disk resource in OpenStack)",
            &[
                ("VolumeID:", &cinder.volume_id),
                ("FSType:", &text(cinder.fs_type.as_ref())),
                ("ReadOnly:", &cinder.read_only.unwrap_or_default()),
                ("SecretRef:", &go::reference(cinder.secret_ref.as_ref())),
            ],
        );
    } else if let Some(disk) = &volume.photon_persistent_disk {
        source(
            page,
            "PhotonPersistentDisk (a Persistent Disk resource in photon platform)",
            &[("PdID:", &disk.pd_id), ("FSType:", &text(disk.fs_type.as_ref()))],
        );
    } else if let Some(portworx) = &volume.portworx_volume {
        source(page, "PortworxVolume (a Portworx Volume resource)", &[("VolumeID:", &portworx.volume_id)]);
    } else {
        return of_retired_provider(page, volume);
    }
    true
}

fn of_retired_provider(page: &mut Page, volume: &Volume) -> bool {
    if let Some(quobyte) = &volume.quobyte {
        source(
            page,
            "Quobyte (a Quobyte mount on the host that shares a pod's lifetime)",
            &[
                ("Registry:", &quobyte.registry),
                ("Volume:", &quobyte.volume),
                ("ReadOnly:", &quobyte.read_only.unwrap_or_default()),
            ],
        );
    } else if let Some(scale_io) = &volume.scale_io {
        source(
            page,
            "ScaleIO (a persistent volume backed by a block device in ScaleIO)",
            &[
                ("Gateway:", &scale_io.gateway),
                ("System:", &scale_io.system),
                ("Protection Domain:", &text(scale_io.protection_domain.as_ref())),
                ("Storage Pool:", &text(scale_io.storage_pool.as_ref())),
                ("Storage Mode:", &text(scale_io.storage_mode.as_ref())),
                ("VolumeName:", &text(scale_io.volume_name.as_ref())),
                ("FSType:", &text(scale_io.fs_type.as_ref())),
                ("ReadOnly:", &scale_io.read_only.unwrap_or_default()),
            ],
        );
    } else if let Some(storage_os) = &volume.storageos {
        source(
            page,
            "StorageOS (a StorageOS Persistent Disk resource)",
            &[
                ("VolumeName:", &text(storage_os.volume_name.as_ref())),
                ("VolumeNamespace:", &text(storage_os.volume_namespace.as_ref())),
                ("FSType:", &text(storage_os.fs_type.as_ref())),
                ("ReadOnly:", &storage_os.read_only.unwrap_or_default()),
            ],
        );
    } else if let Some(flocker) = &volume.flocker {
        source(
            page,
            "Flocker (a Flocker volume mounted by the Flocker agent)",
            &[
                ("DatasetName:", &text(flocker.dataset_name.as_ref())),
                ("DatasetUUID:", &text(flocker.dataset_uuid.as_ref())),
            ],
        );
    } else {
        return false;
    }
    true
}
