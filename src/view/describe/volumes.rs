//! The volumes of a Pod template.

use k8s_openapi::api::core::v1::{PersistentVolumeClaimTemplate, Volume, VolumeProjection};
use serde_json::Value;

use super::page::DescribePage;
use super::{meta, quantity};
use crate::view::go;

/// The sources of volumes: the field, and kubectl's name of the type. The indented lines are its properties: the text
/// before the tab, the field, and after a bar the text for a missing field.
const SOURCES: &str = "\
hostPath HostPath (bare host directory volume)
  Path:=path, HostPathType:=type|<none>
emptyDir EmptyDir (a temporary directory that shares a pod's lifetime)
  Medium:=medium, SizeLimit:=sizeLimit|<unset>
secret Secret (a volume populated by a Secret)
  SecretName:=secretName, Optional:=optional|false
configMap ConfigMap (a volume populated by a ConfigMap)
  Name:=name, Optional:=optional|false
persistentVolumeClaim PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)
  ClaimName:=claimName, ReadOnly:=readOnly|false
ephemeral EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)
downwardAPI DownwardAPI (a volume populated by information about the pod)
projected Projected (a volume that contains injected data from multiple sources)
image Image (a container image or OCI artifact)
  Reference:=reference, PullPolicy:=pullPolicy
nfs NFS (an NFS mount that lasts the lifetime of a pod)
  Server:=server, Path:=path, ReadOnly:=readOnly|false
csi CSI (a Container Storage Interface (CSI) volume source)
  Driver:=driver, FSType:=fsType, ReadOnly:=readOnly|false
iscsi ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)
  TargetPortal:=targetPortal, IQN:=iqn, Lun:=lun, ISCSIInterface=iscsiInterface, FSType:=fsType
  ReadOnly:=readOnly|false, Portals:=portals|[], DiscoveryCHAPAuth:=chapAuthDiscovery|false
  SessionCHAPAuth:=chapAuthSession|false, SecretRef:=secretRef|nil, InitiatorName:=initiatorName|<none>
fc FC (a Fibre Channel disk)
  TargetWWNs:=targetWWNs, LUN:=lun|<none>, FSType:=fsType, ReadOnly:=readOnly|false
cephfs CephFS (a CephFS mount on the host that shares a pod's lifetime)
  Monitors:=monitors, Path:=path, User:=user, SecretFile:=secretFile, SecretRef:=secretRef|nil
  ReadOnly:=readOnly|false
rbd RBD (a Rados Block Device mount on the host that shares a pod's lifetime)
  CephMonitors:=monitors, RBDImage:=image, FSType:=fsType, RBDPool:=pool, RadosUser:=user, Keyring:=keyring
  SecretRef:=secretRef|nil, ReadOnly:=readOnly|false
glusterfs Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)
  EndpointsName:=endpoints, Path:=path, ReadOnly:=readOnly|false
gitRepo GitRepo (a volume that is pulled from git when the pod is created)
  Repository:=repository, Revision:=revision
flexVolume FlexVolume (a generic volume resource that is provisioned/attached using an exec based plugin)
  Driver:=driver, FSType:=fsType, SecretRef:=secretRef|nil, ReadOnly:=readOnly|false, Options:=options|map[]
gcePersistentDisk GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)
  PDName:=pdName, FSType:=fsType, Partition:=partition|0, ReadOnly:=readOnly|false
awsElasticBlockStore AWSElasticBlockStore (a Persistent Disk resource in AWS)
  VolumeID:=volumeID, FSType:=fsType, Partition:=partition|0, ReadOnly:=readOnly|false
azureDisk AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)
  DiskName:=diskName, DiskURI:=diskURI, Kind: =kind, FSType:=fsType, CachingMode:=cachingMode
  ReadOnly:=readOnly|false
azureFile AzureFile (an Azure File Service mount on the host and bind mount to the pod)
  SecretName:=secretName, ShareName:=shareName, ReadOnly:=readOnly|false
vsphereVolume vSphereVolume (a Persistent Disk resource in vSphere)
  VolumePath:=volumePath, FSType:=fsType, StoragePolicyName:=storagePolicyName
cinder Cinder (a Persistent Disk resource in OpenStack)
  VolumeID:=volumeID, FSType:=fsType, ReadOnly:=readOnly|false, SecretRef:=secretRef|nil
photonPersistentDisk PhotonPersistentDisk (a Persistent Disk resource in photon platform)
  PdID:=pdID, FSType:=fsType
portworxVolume PortworxVolume (a Portworx Volume resource)
  VolumeID:=volumeID
quobyte Quobyte (a Quobyte mount on the host that shares a pod's lifetime)
  Registry:=registry, Volume:=volume, ReadOnly:=readOnly|false
scaleIO ScaleIO (a persistent volume backed by a block device in ScaleIO)
  Gateway:=gateway, System:=system, Protection Domain:=protectionDomain, Storage Pool:=storagePool
  Storage Mode:=storageMode, VolumeName:=volumeName, FSType:=fsType, ReadOnly:=readOnly|false
storageos StorageOS (a StorageOS Persistent Disk resource)
  VolumeName:=volumeName, VolumeNamespace:=volumeNamespace, FSType:=fsType, ReadOnly:=readOnly|false
flocker Flocker (a Flocker volume mounted by the Flocker agent)
  DatasetName:=datasetName, DatasetUUID:=datasetUUID";

pub(super) fn describe(page: &mut DescribePage, volumes: &[Volume]) {
    if volumes.is_empty() {
        return page.field(1, "Volumes", "<none>");
    }
    page.line(1, "Volumes:");
    for volume in volumes {
        page.line(1, format_args!(" {}:", volume.name));
        if !print_source(page, &serde_json::to_value(volume).unwrap_or_default()) {
            page.line(1, "<unknown>");
        }
        contents(page, volume);
    }
}

/// Prints the type of a volume and its properties; false for a type that is unknown to kubectl.
fn print_source(page: &mut DescribePage, volume: &Value) -> bool {
    let mut lines = SOURCES.lines();
    let found = lines.find_map(|line| {
        let (field, kind) = line.split_once(' ')?;
        Some((volume.get(field)?, kind))
    });
    let Some((source, kind)) = found else { return false };
    page.field(2, "Type", kind);
    let properties = lines.map_while(|line| line.strip_prefix("  ")).flat_map(|line| line.split(", "));
    for (label, shown) in properties.filter_map(|property| property.split_once('=')) {
        let (field, missing) = shown.split_once('|').unwrap_or((shown, ""));
        let value = source.get(field).and_then(|value| property(field, value));
        page.line(2, format_args!("{label}\t{}", value.unwrap_or_else(|| missing.to_owned())));
    }
    true
}

/// Returns a property as Go's `fmt` prints it, with a few exceptions.
fn property(field: &str, value: &Value) -> Option<String> {
    match (field, value) {
        ("sizeLimit", Value::String(limit)) => quantity::is_positive(limit).then(|| limit.clone()),
        ("targetWWNs", Value::Array(names)) => Some(names.iter().map(go::plain).collect::<Vec<_>>().join(", ")),
        // Kubernetes' generated code spells a reference like Go source.
        ("secretRef", reference) => {
            let name = reference["name"].as_str().unwrap_or_default();
            Some(format!("&LocalObjectReference{{Name:{name},}}"))
        }
        _ => Some(go::plain(value)),
    }
}

fn contents(page: &mut DescribePage, volume: &Volume) {
    if let Some(csi) = &volume.csi {
        meta::attributes(page, 2, "VolumeAttributes", csi.volume_attributes.as_ref());
    } else if let Some(template) = volume.ephemeral.as_ref().and_then(|source| source.volume_claim_template.as_ref()) {
        page.nested(2, |page| claim(page, template));
    } else if let Some(downward) = &volume.downward_api {
        page.line(2, "Items:");
        for item in downward.items.iter().flatten() {
            let field = item.field_ref.as_ref().map(|field| &field.field_path);
            for field in field.into_iter().chain(item.resource_field_ref.as_ref().map(|field| &field.resource)) {
                page.line(3, format_args!("{field} -> {}", item.path));
            }
        }
    } else if let Some(projected) = &volume.projected {
        projected.sources.iter().flatten().for_each(|projection| print_projection(page, projection));
    }
}

/// Prints a projected source. Omits sources that are unknown to kubectl, such as certificates.
fn print_projection(page: &mut DescribePage, projection: &VolumeProjection) {
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

fn claim(page: &mut DescribePage, template: &PersistentVolumeClaimTemplate) {
    let PersistentVolumeClaimTemplate { metadata, spec } = template;
    let metadata = metadata.clone().unwrap_or_default();
    // The annotation is older than the field, and takes precedence.
    let class = metadata.annotations.as_ref().and_then(|all| all.get("volume.beta.kubernetes.io/storage-class"));
    let volume = spec.volume_name.as_deref().unwrap_or_default();
    page.field(0, "StorageClass", class.or(spec.storage_class_name.as_ref()).map_or("", String::as_str));
    page.field(0, "Volume", volume);
    meta::labels(page, "Labels", metadata.labels.as_ref());
    meta::annotations(page, "Annotations", metadata.annotations.as_ref());
    // Only an existing claim has a capacity and modes; kubectl prints the fields anyway.
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
