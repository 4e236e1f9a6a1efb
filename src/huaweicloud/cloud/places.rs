//! Where regions are, in the words of both sites' consoles, so that a list of regions can be searched for a place.

/// Region and place, as far as the place is public.
const PLACES: [(&str, &str); 36] = [
    ("ae-ad-1", "Abu Dhabi (阿布扎比)"),
    ("af-north-1", "Cairo (开罗)"),
    ("af-south-1", "Johannesburg (约翰内斯堡)"),
    ("ap-southeast-1", "Hong Kong (香港)"),
    ("ap-southeast-2", "Bangkok (曼谷)"),
    ("ap-southeast-3", "Singapore (新加坡)"),
    ("ap-southeast-4", "Jakarta (雅加达)"),
    ("ap-southeast-5", "Manila (马尼拉)"),
    ("cn-east-2", "Shanghai 2 (上海二)"),
    ("cn-east-3", "Shanghai 1 (上海一)"),
    ("cn-east-4", "East China 2, Wuhu (华东二)"),
    ("cn-east-5", "Qingdao (青岛)"),
    ("cn-north-1", "Beijing 1 (北京一)"),
    ("cn-north-11", "Ulanqab, automotive (乌兰察布汽车一)"),
    ("cn-north-12", "North China 3 (华北三)"),
    ("cn-north-2", "Beijing 2 (北京二)"),
    ("cn-north-4", "Beijing 4 (北京四)"),
    ("cn-north-9", "Ulanqab 1 (乌兰察布一)"),
    ("cn-south-1", "Guangzhou (广州)"),
    ("cn-south-2", "Shenzhen (深圳)"),
    ("cn-south-4", "Guangzhou, by invitation (广州友好用户环境)"),
    ("cn-southwest-2", "Guiyang 1 (贵阳一)"),
    ("eu-ch2", "Switzerland, Bern"),
    ("eu-de", "Germany, Frankfurt and Magdeburg"),
    ("eu-nl", "Netherlands, Amsterdam"),
    ("eu-west-0", "Paris (巴黎)"),
    ("eu-west-101", "Dublin (都柏林)"),
    ("la-north-2", "Mexico City 2 (墨西哥城二)"),
    ("la-south-2", "Santiago (圣地亚哥)"),
    ("me-east-1", "Riyadh (利雅得)"),
    ("my-kualalumpur-1", "Kuala Lumpur (吉隆坡)"),
    ("na-mexico-1", "Mexico City 1 (墨西哥城一)"),
    ("ru-moscow-1", "Moscow 1 (莫斯科一)"),
    ("ru-northwest-2", "Moscow 2 (莫斯科二)"),
    ("sa-brazil-1", "São Paulo 1 (圣保罗一)"),
    ("tr-west-1", "Istanbul (伊斯坦布尔)"),
];

/// The place of a region by its name; empty where it is not known.
pub(super) fn of(region: &str) -> &'static str {
    PLACES
        .iter()
        .find(|(name, _)| *name == region)
        .map_or("", |(_, place)| place)
}
